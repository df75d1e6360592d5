#!/usr/bin/env node
import { existsSync } from 'node:fs';

const NODE_MIN = 24;

if (Number(process.versions.node.split('.')[0]) < NODE_MIN) {
  process.stderr.write(
    `stakeout needs Node.js ${NODE_MIN}, this is ${process.versions.node}. npm ci installs it beside stakeout: run "npx stakeout …" or "npm run -s stakeout -- …".\n`,
  );
  process.exitCode = 1;
} else if (!existsSync(new URL('../dist/cli/main.js', import.meta.url))) {
  process.stderr.write('stakeout is not built yet: run "npm run build" first (npm start does it by itself).\n');
  process.exitCode = 1;
} else {
  const { main } = await import('../dist/cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
}
