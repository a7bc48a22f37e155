-- What each pass has read, from the log: gaps and seconds read twice must be 0.
SELECT
  org,
  pass,
  CAST(from_unixtime(min(lo)) AS timestamp(3)) AS first_second,
  CAST(from_unixtime(max(hi)) AS timestamp(3)) AS last_second,
  count(*) AS windows,
  sum(event_count) AS events,
  count_if(lo > before + 1) AS gaps,
  sum(CASE WHEN lo > before + 1 THEN lo - before - 1 ELSE 0 END) AS missing_seconds,
  count_if(lo <= before) AS overlaps
FROM (
  SELECT
    org,
    pass,
    lo,
    hi,
    event_count,
    max(hi) OVER (PARTITION BY org, pass ORDER BY lo ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM entries
  WHERE lo IS NOT NULL
)
GROUP BY 1, 2
ORDER BY 1, 2
