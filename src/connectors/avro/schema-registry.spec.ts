import { createServer, type IncomingMessage, type Server } from 'node:http';
import { SchemaRegistry, type SchemaRegistryOptions } from './schema-registry.js';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

describe('the schema registry client', () => {
  let server: Server;
  let url: string;
  let requests: IncomingMessage[];
  let answer: (path: string) => Answer | null;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      const given = answer(request.url ?? '');
      if (given === null) return;
      response.writeHead(given.status).end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  beforeEach(() => {
    requests = [];
    answer = () => ({ status: 200, body: { schema: '"string"' } });
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  const registry = (over: Partial<SchemaRegistryOptions> = {}) => new SchemaRegistry({ url, ...over });
  const failure = (over: Partial<SchemaRegistryOptions> = {}) =>
    registry(over)
      .schemaById(1)
      .catch((error: unknown) => error);

  it('asks below the path of its URL', async () => {
    answer = (path) => ({
      status: path === '/apis/ccompat/v7/schemas/ids/1' ? 200 : 500,
      body: { schema: '"string"' },
    });
    expect(await registry({ url: `${url}/apis/ccompat/v7/` }).schemaById(1)).toEqual({
      schema: 'string',
      references: [],
    });
  });

  it.each<[string, Partial<SchemaRegistryOptions>, string | undefined]>([
    ['nothing', {}, undefined],
    ['user and password', { username: 'me', password: 'p:ß' }, `Basic ${Buffer.from('me:p:ß').toString('base64')}`],
    ['a token', { token: 'abc' }, 'Bearer abc'],
  ])('shows %s', async (_what, options, header) => {
    await registry(options).schemaById(1);
    expect(requests[0]?.headers.authorization).toBe(header);
  });

  it('takes user and password from the URL and keeps them out of messages', async () => {
    answer = () => ({ status: 401, body: { error_code: 40101, message: 'Unauthorized' } });
    const error = await failure({ url: url.replace('//', '//me:p%C3%9F@') });
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:pß').toString('base64')}`);
    expect(error).toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: `Schema registry ${url}: GET /schemas/ids/1 gave 401: Unauthorized`,
    });
  });

  it.each<[Answer, string]>([
    [{ status: 404, body: { error_code: 40403, message: 'Schema not found' } }, 'REGISTRY_NOT_FOUND'],
    [{ status: 404, body: '<html>Not here</html>' }, 'REGISTRY_UNEXPECTED'],
    [{ status: 404, body: { error_code: 404, message: 'HTTP 404' } }, 'REGISTRY_UNEXPECTED'],
    [{ status: 503, body: 'busy' }, 'REGISTRY_UNAVAILABLE'],
    [{ status: 429, body: '' }, 'REGISTRY_UNAVAILABLE'],
    [{ status: 200, body: '<html>Welcome</html>' }, 'REGISTRY_UNEXPECTED'],
    [{ status: 200, body: { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' } }, 'REGISTRY_NOT_AVRO'],
    [{ status: 200, body: { schema: '{"type":' } }, 'REGISTRY_NOT_AVRO'],
  ])('takes %j for %s', async (given, code) => {
    answer = () => given;
    expect(await failure()).toMatchObject({ code });
  });

  it('gives up on a registry that is not there or does not answer', async () => {
    answer = () => null;
    expect(await failure({ timeoutMs: 50 })).toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: `Schema registry ${url}: no answer within 50 ms`,
    });
    expect(await failure({ url: 'http://127.0.0.1:1' })).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it('stops asking when it is told to', async () => {
    answer = () => null;
    const stopping = new AbortController();
    const asking = registry().schemaById(1, stopping.signal);
    stopping.abort(new Error('stopping'));
    await expect(asking).rejects.toThrow('stopping');
  });

  it('fetches references, each after those that it refers to itself', async () => {
    const schemas: Record<string, unknown> = {
      '/schemas/ids/1': { schema: '"C"', references: [ref('b'), ref('a')] },
      '/subjects/b/versions/1': { schema: '"B"', references: [ref('a')] },
      '/subjects/a/versions/1': { schema: '"A"' },
    };
    answer = (path) => ({ status: 200, body: schemas[path] });
    expect(await registry().schemaById(1)).toEqual({ schema: 'C', references: ['A', 'B'] });
  });
});

function ref(subject: string) {
  return { name: subject.toUpperCase(), subject, version: 1 };
}
