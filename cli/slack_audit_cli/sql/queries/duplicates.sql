-- Ids that stand in the archive more than once: there must be none, unless an orphan holds the other copy.
SELECT
  org,
  id,
  count(*) AS copies,
  min(object) AS first_object,
  max(object) AS last_object
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND id IS NOT NULL
GROUP BY 1, 2
HAVING count(*) > 1
ORDER BY copies DESC, id
