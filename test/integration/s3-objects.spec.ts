import { randomUUID } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { S3ObjectStore, type S3ObjectStoreOptions } from '../../src/connectors/s3/s3-object-store.js';
import { describeClaimingStoreContract, describeObjectStoreContract } from '../contracts/object-store-contract.js';
import { type S3, SERVER_START_MS, startS3 } from '../harness/servers/index.js';

let server: S3;
const bucket = `stakeout-${randomUUID()}`;

beforeAll(async () => {
  server = await startS3();
  const { endpoint, ...credentials } = server;
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}, SERVER_START_MS);

afterAll(() => server.stop());

/** On the server, under a prefix of its own. */
function open(options: Partial<S3ObjectStoreOptions> = {}): S3ObjectStore {
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const known = { endpoint, accessKeyId, secretAccessKey, bucket, region: 'us-east-1', pathStyle: true };
  return new S3ObjectStore({ ...known, prefix: `test/${randomUUID()}`, pageNames: 20, ...options });
}

const inS3 = async () => {
  const prefix = `/contract/${randomUUID()}/`;
  const opened: S3ObjectStore[] = [];
  const another = async () => {
    const store = open({ prefix });
    opened.push(store);
    return store;
  };
  const dispose = async () => {
    await Promise.all(opened.map((store) => store.close()));
  };
  return { store: await another(), another, dispose };
};
describeObjectStoreContract('the objects in S3', inS3);
describeClaimingStoreContract('the objects in S3', inS3);

/** Takes connections, and whatever is sent, and does not answer by itself. */
async function silentServer(
  onConnection: (socket: Socket) => void = () => undefined,
): Promise<{ silent: Server; port: number }> {
  const silent = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    onConnection(socket);
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  return { silent, port: (silent.address() as { port: number }).port };
}

describe('the objects in S3', () => {
  const failing = async (options: Partial<S3ObjectStoreOptions>) => {
    const store = open(options);
    const errors = await Promise.all(
      [store.put('a', Buffer.from('a')), store.get('a'), store.list(''), store.delete('a')].map((p) =>
        p.then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );
    await store.close();
    return errors;
  };

  it('may lie at the bucket’s root, and are apart under different prefixes', async () => {
    const [root, one] = [open({ prefix: '' }), open({ prefix: 'one' })];
    await one.put('x', Buffer.from('1'));
    expect(await root.list('one/')).toEqual(['one/x']);
    expect(await open({ prefix: 'on' }).list('')).toEqual([]);
    await root.delete('one/x');
    expect(await one.list('')).toEqual([]);
    await Promise.all([root.close(), one.close()]);
  });

  it('say which rights are missing where credentials are wrong', async () => {
    for (const error of await failing({ secretAccessKey: 'wrong' })) {
      expect(error).toMatchObject({
        code: 'OBJECTS_DENIED',
        message: expect.stringMatching(/^cannot .* in bucket stakeout-.*checkpoint\.s3\.accessKeyId.*s3:PutObject/),
      });
    }
  });

  it('name the bucket that is missing', async () => {
    const missing = `missing-${randomUUID()}`;
    const store = open({ bucket: missing });
    // Some servers make a bucket for what is put.
    for (const look of [() => store.get('a'), () => store.list('')]) {
      await expect(look()).rejects.toMatchObject({
        code: 'OBJECTS_IO',
        message: expect.stringContaining(`make the bucket ${missing}`),
      });
    }
    await store.close();
  });

  it('are away where nobody answers, and where nobody listens', async () => {
    const { silent, port } = await silentServer();
    const options = { endpoint: `http://127.0.0.1:${port}`, timeoutMs: 100, attempts: 1 };
    const unanswered = await failing(options);
    await new Promise((resolve) => silent.close(resolve));
    for (const error of [...unanswered, ...(await failing(options))]) {
      expect(error).toMatchObject({
        code: 'OBJECTS_AWAY',
        message: expect.stringContaining('see whether checkpoint.s3.endpoint, or AWS, can be reached'),
      });
    }
  });

  it('are away where an answer stops half-way', async () => {
    const half = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf';
    const { silent, port } = await silentServer((socket) => socket.write(half));
    const store = open({ endpoint: `http://127.0.0.1:${port}`, timeoutMs: 100, attempts: 1 });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'OBJECTS_AWAY' });
    await store.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('end at once when the signal aborts, though nobody answers', async () => {
    const stop = new AbortController();
    const { silent, port } = await silentServer(() => stop.abort(new Error('given up')));
    const store = open({ endpoint: `http://127.0.0.1:${port}` });
    await expect(store.put('a', Buffer.alloc(1_000_000), stop.signal)).rejects.toThrow('given up');
    await store.close();
    await new Promise((resolve) => silent.close(resolve));
  });
});
