import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rule } from '../rules/index.js';
import { loadSettings } from '../runtime/settings/index.js';
import { openLog } from '../service/compose/log.js';
import { listsNow, sayUnread } from './lists-now.js';
import type { Output } from './output.js';

const folder = mkdtempSync(join(tmpdir(), 'stakeout-lists-now-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function settingsOf(lists: string) {
  const file = join(folder, 'stakeout.yaml');
  writeFileSync(file, `data: {directory: data}\nstreams: {rows: {topic: rows, format: ndjson}}\nlists: ${lists}\n`);
  const loaded = loadSettings({ file, env: {} });
  if ('errors' in loaded) throw new Error(JSON.stringify(loaded.errors));
  return loaded.settings;
}

describe('reference lists where no service is asked', () => {
  it('are what their files and topics say', async () => {
    writeFileSync(join(folder, 'mules.txt'), 'A7\n');
    const settings = settingsOf(
      '{mules: {file: mules.txt}, partners: {topic: partners, kind: map}, calls: {kind: set}}',
    );
    const log = await openLog(settings, () => undefined);
    await log.createTopic({ name: 'partners', partitions: 2, compacted: true });
    const producer = await log.producer();
    const row = (key: string, value: string | null) => ({
      topic: 'partners',
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    });
    await producer.send([row('A1', 'DE'), row('A2', 'FR'), row('A2', null)]);
    await producer.close();
    await log.close();

    const lists = await listsNow(settings);
    expect([lists.has('mules', 'A7'), lists.get('partners', 'A1'), lists.has('partners', 'A2')]).toEqual([
      true,
      'DE',
      false,
    ]);
    expect(lists.known.get('calls')).toBe('set');
  });

  it('are told to be empty where they are filled over HTTP and a rule asks them', () => {
    const said: string[] = [];
    const output = { say: (text: string) => said.push(text) } as unknown as Output;
    const rules = [{ id: 'calls-first', lists: ['calls'] }, { id: 'other' }] as unknown as readonly Rule[];
    sayUnread(settingsOf('{calls: {kind: set}, idle: {kind: set}, mules: {file: mules.txt}}'), rules, output);
    expect(said).toEqual([
      expect.stringMatching(/^The list calls \(calls-first\) is filled over HTTP, and empty here\./),
    ]);
  });
});
