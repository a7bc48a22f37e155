-- What data loss prevention and Slack's anomaly detection found, and what was blocked.
SELECT
  time,
  org,
  action,
  actor_name,
  actor_email,
  entity_type,
  entity_name,
  ip_address,
  json_extract_scalar(details, '$.previous_ip_address') AS previous_ip_address,
  json_format(json_extract(details, '$.reason')) AS reasons,
  json_format(json_extract(details, '$.ip_address_details')) AS hints,
  user_agent,
  details,
  id
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND (regexp_like(action, '^native_dlp_') OR action IN (
    'anomaly', 'audit_logs_records_searched_anomaly', 'file_malicious_content_detected', 'file_download_blocked',
    'file_downloaded_blocked', 'file_share_blocked_by_type', 'file_upload_blocked_by_type', 'user_logout_compromised',
    'user_sessions_reset_by_anomaly_event_response', 'pref.dlp_access_changed',
    'user_anomaly_event_response_allowlist_changed', 'user_anomaly_event_reponse_allowlist_changed',
    'usergroup_anomaly_event_response_allowlist_changed'
  ))
ORDER BY time DESC
