import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { consolePolicy, serveConsole } from './serve-console.js';

class NoModule {}

let folder: string;
let app: NestFastifyApplication;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-console-'));
  app = await NestFactory.create<NestFastifyApplication>({ module: NoModule }, new FastifyAdapter(), { logger: false });
});
afterEach(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

async function served(built: boolean, provider: Parameters<typeof serveConsole>[1] = null): Promise<void> {
  if (built) {
    mkdirSync(join(folder, 'assets'));
    for (const [name, text] of [
      ['index.html', '<title>the page</title>'],
      ['assets/index-abc.js', 'run()'],
    ] as const) {
      writeFileSync(join(folder, name), text);
      writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text));
    }
  }
  serveConsole(app, provider, folder);
  await app.init();
}

const get = (url: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url, headers });

describe('the console over HTTP', () => {
  it('is a page that is asked for anew each time, and lets nothing from elsewhere run', async () => {
    await served(true);
    const page = await get('/');
    expect([page.statusCode, page.body]).toEqual([200, '<title>the page</title>']);
    expect(page.headers).toMatchObject({
      'content-security-policy': consolePolicy(null),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    });
    expect(consolePolicy(null)).not.toMatch(/unsafe|https?:/);
  });

  it('may ask the provider that one signs in with, and nobody else beside the service', async () => {
    const issuer = 'https://login.example.org:8443/realms/bank';
    await served(true, { issuer, clientId: 'console', scope: 'openid', resource: null });
    const policy = String((await get('/')).headers['content-security-policy']);
    expect(policy).toContain("connect-src 'self' https://login.example.org:8443;");
    expect(policy.match(/https?:/g)).toHaveLength(1);
  });

  it('sends files as they were compressed when they were built, to be kept for ever', async () => {
    await served(true);
    const { headers, rawPayload } = await get('/assets/index-abc.js', { 'accept-encoding': 'br' });
    expect(headers).toMatchObject({ 'content-encoding': 'br', 'content-type': expect.stringContaining('javascript') });
    expect(headers['cache-control']).toContain('immutable');
    expect(brotliDecompressSync(rawPayload).toString()).toBe('run()');
  });

  it('leaves other addresses alone', async () => {
    await served(true);
    expect((await get('/assets/none.js')).statusCode).toBe(404);
    expect((await get('/assets/index-abc.js.br')).statusCode).toBe(404);
    expect((await get('/../package.json')).statusCode).toBe(404);
  });

  it('says that it is not built', async () => {
    await served(false);
    const page = await get('/');
    expect(page.headers['content-security-policy']).toBe(consolePolicy(null));
    expect(page.body).toContain('npm run build');
  });
});
