import { formatSettingsError, loadSettings } from '../../runtime/settings/index.js';
import { settingsSchema } from '../../runtime/settings/schema.js';
import { leavesOf } from '../../runtime/settings/tree.js';
import { hashOfKey, newKey } from '../access/api-keys.js';
import { aService } from '../testing/a-service.js';

const SECRET = 'hunter2-correct-horse';

describe('secrets', () => {
  const secrets = leavesOf(settingsSchema).filter(({ meta }) => meta.secret === true);

  it('are all settings whose names say so', () => {
    const named = leavesOf(settingsSchema).filter(({ path }) =>
      /password|secret|apiKey|authorization/i.test(path.at(-1)!),
    );
    expect(named.filter(({ meta }) => meta.secret !== true).map(({ path }) => path.join('.'))).toEqual([]);
    expect(secrets.length).toBeGreaterThan(10);
  });

  it.each(secrets.map(({ path }) => [path.map((name) => (name === '*' ? 'one' : name)).join('.'), path] as const))(
    '%s is in no message about settings',
    (_, path) => {
      // A value of a wrong form, beside settings that do not fit it: everything is complained of that can be.
      const overrides = path.reduceRight<unknown>(
        (value, name) => ({ [name === '*' ? 'one' : name]: value }),
        [SECRET],
      );
      const told: string[] = [];
      for (const given of [overrides, JSON.parse(JSON.stringify(overrides).replace(/\["(.*?)"\]/, '"$1"'))]) {
        const loaded = loadSettings({ env: {}, overrides: given as object });
        if ('errors' in loaded) told.push(...loaded.errors.map(formatSettingsError));
      }
      expect(told.join('\n')).not.toContain(SECRET);
    },
  );

  it('that callers send are in no log line and no answer, whether they hold or not', async () => {
    const [good, bad] = [newKey(), newKey()];
    const access = { keys: { ann: { role: 'operator' as const, hash: hashOfKey(good) } }, peerSecret: SECRET };
    const test = await aService({}, { settings: { http: { port: 0 }, access, log: { level: 'trace' } } });
    await test.service.start();
    const answers: string[] = [];
    for (const key of [good, bad, SECRET]) {
      for (const [method, url] of [
        ['GET', '/v1/status'],
        ['PUT', '/v1/delivery'],
        ['POST', '/v1/decisions'],
        ['GET', `/v1/none`],
      ] as const) {
        const headers = { authorization: `Bearer ${key}`, 'x-api-key': key };
        const answer = await test.service.app.inject({
          method,
          url,
          headers,
          ...(method === 'GET' ? {} : { payload: {} }),
        });
        answers.push(answer.body);
      }
    }
    await test.service.stop();
    for (const secret of [good, bad, SECRET, hashOfKey(good)]) {
      expect(test.logLines.join('\n')).not.toContain(secret);
      expect(answers.join('\n')).not.toContain(secret);
    }
  });
});
