import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Settings } from '../runtime/settings/index.js';
import { CommandError } from './command-error.js';
import { askService, bodyOf, jsonBody, NoAnswer, problemOf, request, urlOf } from './service-client.js';

const asked: string[] = [];
const answers: Readonly<Record<string, readonly [status: number, body: string]>> = {
  '/good': [200, '{"a": 1}'],
  '/page': [200, '<html>'],
  '/wrong': [422, '{"detail": "No.", "errors": [{"path": "put", "message": "is empty"}]}'],
  '/proxy': [502, '<html>'],
};

let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    void incoming.toArray().then((chunks) => {
      asked.push(`${incoming.method} ${incoming.headers['content-type'] ?? '-'} ${Buffer.concat(chunks).toString()}`);
      const [status, body] = answers[incoming.url!]!;
      response.writeHead(status).end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => void server.close());

describe('what commands say to a service', () => {
  it('goes to the URL that is given, whatever slashes it ends in', async () => {
    const answer = await askService({ to: `${url}//` }, 'PUT', '/good', jsonBody([1]));
    expect(await bodyOf(answer)).toEqual({ a: 1 });
    expect(asked.at(-1)).toBe('PUT application/json [1]');
  });

  it('tells what the service found wrong, item by item', async () => {
    await expect(askService({ to: url }, 'PATCH', '/wrong')).rejects.toEqual(
      new CommandError('Nothing was changed: No.\n  put: is empty'),
    );
  });

  it('takes the status for the detail, where a proxy answers', async () => {
    const problem = await problemOf(await request(`${url}/proxy`, 'GET'));
    expect(problem).toEqual({ detail: 'Bad Gateway', errors: [], diagnostics: [] });
    await expect(request(`${url}/page`, 'GET').then(bodyOf)).rejects.toThrow('answered something that is not JSON');
  });

  it('tells where nobody listens, and why, and what to do', async () => {
    const failed = await askService({ to: 'http://127.0.0.1:1/' }, 'GET', '/good').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NoAnswer);
    expect((failed as Error).message).toMatch(
      /^http:\/\/127\.0\.0\.1:1 does not answer: .+\. Name the service with --to http:\/\/…$/,
    );
  });
});

it.each([
  ['0.0.0.0', 'http://localhost:3000'],
  ['127.0.0.1', 'http://127.0.0.1:3000'],
])('of a service that listens at %s is %s', (host, expected) => {
  expect(urlOf({ http: { host, port: 3000, tls: {} } } as Settings)).toBe(expected);
});
