import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { until } from '../../test/harness/until.js';
import { httpTls } from './http-tls.js';
import { aService, someSettings } from './testing/a-service.js';

let folder: string;
const at = (name: string): string => join(folder, name);

function makeCertificate(name: string): void {
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...args, ...subject, '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)], {
    stdio: 'pipe',
  });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stakeout-tls-'));
  for (const name of ['one', 'two']) makeCertificate(name);
});
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string): void {
  copyFileSync(at(`${name}.key`), at('tls.key'));
  copyFileSync(at(`${name}.crt`), at('tls.crt'));
}

/** Over a connection of its own: who answers, and with what. */
const ask = (url: string): Promise<{ readonly name: string; readonly status: number }> =>
  new Promise((resolve, reject) => {
    const ca = ['one', 'two'].map((name) => readFileSync(at(`${name}.crt`)));
    const asking = request(url, { ca, agent: new Agent({ maxCachedSessions: 0 }) }, (answer) => {
      const { subject } = (answer.socket as TLSSocket).getPeerCertificate();
      answer.resume().on('end', () => resolve({ name: String(subject.CN), status: answer.statusCode! }));
    });
    asking.on('error', reject).end();
  });

it('speaks HTTPS with the certificate of the settings, and with a renewed one, without a restart', async () => {
  put('one');
  const tls = { certificate: at('tls.crt'), key: at('tls.key') };
  const { service, clock, logLines } = await aService({}, { settings: { http: { port: 0, tls } } });
  await service.start();
  expect(service.url()).toMatch(/^https:/);
  const url = `${service.url()}/health/live`;
  expect(await ask(url)).toEqual({ name: 'one', status: 200 });
  await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow();
  writeFileSync(at('tls.key'), 'half a key');
  clock.advance(60_000);
  await until(() => logLines.some((line) => line.includes('cannot be renewed')), 'the log line');
  expect(await ask(url)).toEqual({ name: 'one', status: 200 });
  put('two');
  clock.advance(60_000);
  await until(() => logLines.some((line) => line.includes('was renewed')), 'the log line');
  expect(await ask(url)).toEqual({ name: 'two', status: 200 });
  await service.stop();
});

it('is plain without a certificate, and refuses one that does not hold', () => {
  expect(httpTls(someSettings())).toBe(null);
  writeFileSync(at('none.crt'), 'nothing');
  const tls = { certificate: at('none.crt'), key: at('one.key') };
  expect(() => httpTls(someSettings({ http: { tls } }))).toThrow(expect.objectContaining({ code: 'HTTP_TLS' }));
  expect(() => someSettings({ http: { tls: { certificate: 'x' } } })).toThrow(/http.tls.key/);
});
