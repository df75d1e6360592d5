/**
 * Writes the savepoint of this release for `fixtures.spec.ts`:
 *
 *     node --import ./test/harness/run-typescript.mjs test/savepoints/make-fixture.ts v2
 *
 * Once it is in the repository it stays as it is: later releases must load it.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { World } from './kit.js';
import { BEFORE, PARTITIONS } from './scenario.js';

const folder = join(import.meta.dirname, process.argv[2] ?? 'new');
const world = await World.of(PARTITIONS);
await world.run(BEFORE);
const { path, totals } = await world.take();
mkdirSync(folder, { recursive: true });
copyFileSync(path, join(folder, 'all-kinds.savepoint'));
process.stdout.write(`${JSON.stringify(totals)}\n${(await world.alerts()).join('\n')}\n`);
