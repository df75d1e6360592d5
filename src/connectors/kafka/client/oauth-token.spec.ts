import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientToken, fileToken } from './oauth-token.js';

let server: Server;
let tokenUrl: string;
const asked: { authorization: string | undefined; body: string }[] = [];
let answer: { status: number; body: object } = { status: 200, body: {} };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push({ authorization: request.headers.authorization, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  asked.length = 0;
});

const client = () => ({ tokenUrl, clientId: 'stake:out', clientSecret: 's/1', scope: 'kafka' });

describe('a token for OAUTHBEARER', () => {
  it('is asked for with the secret, once for all who need one, and again before it ends', async () => {
    let now = 0;
    const token = clientToken(client(), () => now);
    answer = { status: 200, body: { access_token: 't1', expires_in: 60 } };
    expect(await Promise.all([token(), token()])).toEqual(['t1', 't1']);
    now = 29_000;
    expect(await token()).toBe('t1');
    answer = { status: 200, body: { access_token: 't2', expires_in: 60 } };
    now = 30_000;
    expect(await token()).toBe('t2');
    const authorization = `Basic ${Buffer.from('stake%3Aout:s%2F1').toString('base64')}`;
    expect(asked).toEqual(Array(2).fill({ authorization, body: 'grant_type=client_credentials&scope=kafka' }));
  });

  it('is told to be missing, without the secret, and asked for again', async () => {
    const token = clientToken(client(), () => 0);
    answer = { status: 401, body: { error: 'invalid_client' } };
    await expect(token()).rejects.toMatchObject({
      code: 'KAFKA_OAUTH',
      message: `${tokenUrl} gives no token: 401, invalid_client`,
    });
    answer = { status: 200, body: { access_token: 't1' } };
    expect(await token()).toBe('t1');
    const nobody = clientToken({ ...client(), tokenUrl: 'http://127.0.0.1:1/' }, () => 0);
    await expect(nobody()).rejects.toMatchObject({ message: expect.stringContaining('does not answer') });
  });

  it('is read from a file each time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stakeout-token-'));
    const file = join(folder, 'token');
    const token = fileToken(file);
    await expect(token()).rejects.toMatchObject({ code: 'KAFKA_OAUTH' });
    for (const text of ['t1', 't2']) {
      await writeFile(file, `${text}\n`);
      expect(await token()).toBe(text);
    }
    await rm(folder, { recursive: true });
  });
});
