-- Objects under raw/ that no entry of the log names: what they hold stands in a committed batch, too.
SELECT r.org, r.dt, r.object, r.lines
FROM (
  SELECT org, dt, "$path" AS object, count(*) AS lines
  FROM raw
  WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  GROUP BY 1, 2, 3
) AS r
LEFT JOIN entries AS n ON n.org = r.org AND n.key = regexp_extract(r.object, 'raw/org=.*')
WHERE n.key IS NULL
ORDER BY r.object
