import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { aService } from '../../src/service/testing/a-service.js';
import type { OpenApi } from '../../src/service/testing/as-documented.js';
import { commandsIn, isPath, isSetting, pathsIn, settingsIn, whyNoCommand } from './kit/named.js';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
/** But for the page that is made from the settings themselves, where names are those within their section. */
const documents = globSync(['README.md', 'docs/*.md', 'examples/*/README.md'], { cwd: ROOT })
  .filter((file) => file !== 'docs/settings.md')
  .toSorted();
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

it.each(documents)('%s names no command or option that there is not', async (file) => {
  const wrong: string[] = [];
  for (const { text, line } of commandsIn(read(file))) {
    const why = await whyNoCommand(text);
    if (why !== null) wrong.push(`${file}:${line}: stakeout ${text}: ${why}`);
  }
  expect(wrong).toEqual([]);
});

/** What looks like a setting, and is a value of the chart, a file, a call. */
const NO_SETTINGS = ['access.enabled', 'alerts.sqlite', 'log.transactionalProducer'];

it('documents name no setting that there is not', () => {
  const named = documents.flatMap((file) => settingsIn(read(file)).map((each) => ({ file, ...each })));
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(({ text }) => !isSetting(text) && !NO_SETTINGS.includes(text))).toEqual([]);
});

it('documents name no path of the API that there is not', async () => {
  const { service } = await aService();
  await service.app.init();
  const document = (await service.app.inject('/openapi.json')).json() as OpenApi;
  const named = documents.flatMap((file) => pathsIn(read(file)).map((each) => ({ file, ...each })));
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter(({ text }) => !isPath(document, text))).toEqual([]);
  await service.stop();
});

describe('what a document names', () => {
  it('is commands in sentences and in blocks for a shell', () => {
    const document =
      'Say `npx stakeout run --config a` or `stakeout`.\n```sh\nA=b stakeout verify  # now\n```\n```yaml\nstakeout x\n```';
    expect(commandsIn(document)).toEqual([
      { text: 'run --config a', line: 1 },
      { text: 'verify', line: 3 },
    ]);
  });

  it.each([
    ['verify', null],
    ['savepoint restore --config a --dry-run FILE…', null],
    ['verify --config a [--from TIME]', null],
    ['verrify', expect.stringContaining('unknown command')],
    ['savepoint take', expect.stringContaining('unknown command')],
    ['verify --confg a', expect.stringContaining('unknown option')],
  ])('%s: %s', async (text, why) => expect(await whyNoCommand(text)).toEqual(why));
});
