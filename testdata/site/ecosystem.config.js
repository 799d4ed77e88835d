const path = require('path');

const logs = path.join(__dirname, 'logs');

module.exports = {
  apps: [
    {
      name: 'web',
      script: 'server/index.js',
      instances: 2,
      exec_mode: 'cluster',
      max_memory_restart: '400M',
      kill_timeout: 8000,
      out_file: path.join(logs, 'web.out.log'),
      error_file: path.join(logs, 'web.err.log'),
      env: { NODE_ENV: 'development', PORT: 3000 },
      env_production: { NODE_ENV: 'production', PORT: process.env.PORT || 8080 },
    },
    {
      name: 'worker',
      script: 'server/worker.js',
      min_uptime: '20s',
      max_restarts: 8,
      exp_backoff_restart_delay: 200,
      env: { NODE_ENV: 'development' },
      env_production: { NODE_ENV: 'production', QUEUE: 'orders' },
    },
    {
      // Sends what is queued and exits; PM2 starts it again at the quarter hours.
      name: 'mailer',
      script: 'server/mailer.js',
      autorestart: false,
      cron_restart: '*/15 * * * *',
      env_production: { NODE_ENV: 'production' },
    },
  ],
};
