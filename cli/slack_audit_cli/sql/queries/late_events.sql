-- Events that Slack showed late: which look found them, and how long after they happened they were archived.
SELECT
  e.time,
  n.time AS archived,
  date_diff('second', e.time, n.time) AS delay_seconds,
  n.pass,
  e.org,
  e.action,
  e.actor_name,
  e.id,
  e.object
FROM events AS e
JOIN entries AS n ON n.org = e.org AND n.key = regexp_extract(e.object, 'raw/org=.*')
WHERE e.dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND n.pass IN ('late', 'final')
ORDER BY delay_seconds DESC
