-- Channels shared with other organisations, their invitations, and direct messages with people outside.
SELECT
  time,
  org,
  action,
  actor_name,
  actor_email,
  entity_name AS channel,
  entity_id AS channel_id,
  location_name,
  ip_address,
  details,
  id
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND (regexp_like(action, '^(external_shared_channel|connect_dm|slack_connect)_') OR action IN (
    'external_user_disconnected', 'guest_transferred_to_external_user', 'pref.slack_connect_approval_type',
    'pref.who_can_manage_ext_shared_channels', 'pref.can_receive_shared_channels_invites'
  ))
ORDER BY time DESC
