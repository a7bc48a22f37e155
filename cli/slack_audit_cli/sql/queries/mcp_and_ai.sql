-- What MCP tools, agents and Slack's AI did, by person, app and address.
SELECT
  org,
  action,
  actor_name,
  actor_email,
  app_name,
  app_id,
  ip_address,
  count(*) AS times,
  min(time) AS first_time,
  max(time) AS last_time
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND (regexp_like(action, '(^|_)mcp_|(^|_)ai_|^app_[a-z]+_execute_slack_action$|^agentforce_'))
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY times DESC, last_time DESC
