/** Patterns that do not hold, beside patterns that do and alone. Needs no servers: the log is embedded. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built, root } from './kit/build.js';
import { ServiceProcess } from './kit/service.js';

const BROKEN = `id: broken
title: A field that is not there
key: accountId
within: 10m
pattern:
  - begin: large
    where: amont > 10000.0
alert:
  severity: high
  score: 80
  message: large
`;

describe('the service with a broken pattern file', () => {
  let folder: string;

  beforeAll(built);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stakeout-e2e-broken-'));
    mkdirSync(join(folder, 'patterns/broken'), { recursive: true });
    writeFileSync(join(folder, 'patterns/broken/pattern.yaml'), BROKEN);
    writeFileSync(
      join(folder, 'stakeout.yaml'),
      'patterns: ./patterns\nhttp: { port: 0 }\ndata: { directory: ./data }\ndemo: { enabled: false }\nlog: { format: json }\n',
    );
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('runs the others, and says what is wrong and where', async () => {
    cpSync(join(root, 'patterns/offshore-drain'), join(folder, 'patterns/offshore-drain'), { recursive: true });
    const service = await ServiceProcess.start(join(folder, 'stakeout.yaml')).ready();
    try {
      const { items: patterns } = await service.get<{ readonly items: readonly { readonly id: string }[] }>(
        '/v1/patterns',
      );
      expect(patterns.map(({ id }) => id)).toEqual(['offshore-drain']);
      expect(service.console).toContain('with 1 pattern; others are refused, see the error above.');
      expect(service.console).toMatch(/broken\/pattern\.yaml:7:12/);
      expect(service.console).toContain('amont');
    } finally {
      expect(await service.stop()).toBe(0);
    }
  });

  it('refuses to start with status 1 when no other is there', async () => {
    const service = ServiceProcess.start(join(folder, 'stakeout.yaml'));
    expect(await service.end()).toBe(1);
    expect(service.errors).toMatch(/broken\/pattern\.yaml:7:12/);
    expect(service.errors).toContain(`There is no rule to run in ${join(folder, 'patterns')}.`);
  });
});
