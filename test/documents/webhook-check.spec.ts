import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signature } from '../../src/connectors/webhook/signature.js';

/** The function that docs/sinks.md gives to receivers. */
async function shown(): Promise<(secret: string, headers: object, body: string, nowSeconds: number) => boolean> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/sinks.md'), 'utf8');
  const [, code] = /```js\n([\s\S]*?)```/.exec(page)!;
  return (await import(`data:text/javascript,${encodeURIComponent(code!)}`)).isGenuine;
}

it('a receiver can check a webhook as docs/sinks.md says', async () => {
  const isGenuine = await shown();
  const body = '{"id":"Grüße"}';
  const headers = { 'stakeout-timestamp': '1700000000', 'stakeout-signature': signature('s', '1700000000', body) };
  expect(isGenuine('s', headers, body, 1_700_000_100)).toBe(true);
  expect(isGenuine('other', headers, body, 1_700_000_100)).toBe(false);
  expect(isGenuine('s', headers, `${body} `, 1_700_000_100)).toBe(false);
  expect(isGenuine('s', headers, body, 1_700_000_301)).toBe(false);
  expect(isGenuine('s', {}, body, 1_700_000_100)).toBe(false);
});
