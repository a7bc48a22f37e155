-- Failed logins, and sessions that Slack refused, by person and address.
SELECT
  org,
  actor_name,
  actor_email,
  ip_address,
  action,
  COALESCE(json_extract_scalar(details, '$.reason'), json_extract_scalar(details, '$.type')) AS reason,
  count(*) AS times,
  min(time) AS first_time,
  max(time) AS last_time
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND action IN ('user_login_failed', 'user_logout_compromised', 'user_logout_non_compliant_mobile_app_version')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY times DESC, last_time DESC
