-- Sessions ended and reset, passwords and passkeys reset, tokens made, kept and taken back.
SELECT
  time,
  org,
  action,
  actor_name,
  actor_email,
  entity_type,
  entity_name,
  entity_id,
  ip_address,
  user_agent,
  details,
  id
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND (regexp_like(action, '^(user_password_reset|user_passkey|seamless_auth_(team|user)_token)_') OR action IN (
    'user_session_invalidated', 'user_session_reset_by_admin', 'bulk_session_reset_by_admin',
    'user_sessions_reset_by_anomaly_event_response', 'user_sessions_reset_by_circuit_breaker',
    'user_session_settings_changed', 'user_logout_compromised', 'app_token_preserved', 'workflow_app_token_preserved',
    'external_auth_oauth2_token_deleted', 'pref.session_duration_changed', 'pref.mobile_session_duration_changed'
  ))
ORDER BY time DESC
