-- Logins by person, address and network, with what Slack's anomaly events say of that address.
SELECT
  org,
  actor_name,
  actor_email,
  ip_address,
  COALESCE(
    regexp_extract(ip_address, '^([0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+$', 1) || '.0/24',
    regexp_extract(ip_address, '^([0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f]+):', 1) || '::/48'
  ) AS network,
  count_if(action <> 'anomaly') AS logins,
  min(time) FILTER (WHERE action <> 'anomaly') AS first_login,
  max(time) FILTER (WHERE action <> 'anomaly') AS last_login,
  count_if(action = 'anomaly') AS anomalies,
  array_join(array_agg(DISTINCT json_format(json_extract(details, '$.ip_address_details'))), ' ') AS hints
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND action IN ('user_login', 'cli_login', 'anomaly')
GROUP BY 1, 2, 3, 4, 5
HAVING count_if(action <> 'anomaly') > 0
ORDER BY logins DESC, actor_name, ip_address
