import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import {
  ElasticsearchSink,
  type ElasticsearchSinkOptions,
} from '../../../src/connectors/elasticsearch/elasticsearch-sink.js';
import { HttpClient } from '../../../src/connectors/http/http-client.js';
import { systemClock } from '../../../src/connectors/system-clock.js';
import { describeSink, someAlert } from '../../contracts/sink-contract.js';
import { SERVER_START_MS, sharedOpenSearch } from '../../harness/servers/index.js';
import { TcpProxy } from '../../harness/tcp-proxy.js';

jest.setTimeout(SERVER_START_MS);

const someIndex = () => `alerts-${randomUUID().slice(0, 8)}`;
const sinkFor = (urls: readonly string[], index: string, over: Partial<ElasticsearchSinkOptions> = {}) =>
  new ElasticsearchSink({
    ...{ name: 'search', urls, index, rollover: 'day', create: true, shards: 1, replicas: 0, batch: 7 },
    client: new HttpClient({ clock: systemClock, timeoutMs: 20_000 }),
    ...over,
  });

interface Hit {
  readonly _id: string;
  readonly _index: string;
  readonly _source: { readonly key: string; readonly [field: string]: unknown };
}

const ask = async (url: string, body?: object) => {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return (await fetch(url, { ...init, headers: { 'content-type': 'application/json' } })).json() as Promise<unknown>;
};

/** Everything under a name. */
async function hitsOf(url: string, index: string, query: object = { match_all: {} }): Promise<readonly Hit[]> {
  await fetch(`${url}/${index}*/_refresh`, { method: 'POST' });
  const found = (await ask(`${url}/${index}*/_search`, { query, size: 1_000 })) as { hits: { hits: Hit[] } };
  return found.hits.hits;
}

/** A word that is too long for the index. */
const poison = { patternId: 'x'.repeat(40_000) };

describeSink('OpenSearch', {
  place: async () => {
    const direct = await sharedOpenSearch();
    const { proxy, url } = await TcpProxy.before(direct);
    const index = someIndex();
    return {
      sink: async () => sinkFor([url], index),
      written: async () => (await hitsOf(direct, index)).map(({ _id, _source }) => ({ id: _id, key: _source.key })),
      away: async () => proxy.cut(),
      back: async () => proxy.mend(),
      close: async () => {
        await proxy.close();
        await fetch(`${direct}/${index}*`, { method: 'DELETE' });
      },
    };
  },
  poison: (alert) => ({ ...alert, ...poison }),
  unordered: true,
});

describe('documents of alerts', () => {
  let url: string;
  let index: string;
  let sinks: ElasticsearchSink[];

  beforeAll(async () => {
    url = await sharedOpenSearch();
  });
  beforeEach(() => {
    index = someIndex();
    sinks = [];
  });
  afterEach(async () => {
    for (const sink of sinks) await sink.close();
    await fetch(`${url}/${index}*`, { method: 'DELETE' });
  });
  const sinkOf = (over: Partial<ElasticsearchSinkOptions> = {}, urls = [url]) => {
    const sink = sinkFor(urls, index, over);
    sinks.push(sink);
    return sink;
  };
  const ids = (hits: readonly Hit[]) => hits.map(({ _id }) => _id).sort();

  it('can be searched by what the alert says, features by their kind', async () => {
    const window = someAlert(3);
    await sinkOf().write([window, someAlert(4, { features: { total: 'many' } }), someAlert(5)]);
    const byDay = `${index}-2026.01.31`;
    const found = await hitsOf(url, index, { term: { key: window.key } });
    expect(found).toMatchObject([
      {
        _index: byDay,
        _source: {
          ...window,
          detectedAt: '2026-01-31T12:00:03.000Z',
          firstEventTime: expect.any(String),
          lastEventTime: expect.any(String),
        },
      },
    ]);
    expect(ids(await hitsOf(url, index, { range: { 'numbers.total': { gte: 1 } } }))).toEqual([window.id]);
    expect(ids(await hitsOf(url, index, { term: { 'texts.total': 'many' } }))).toEqual([someAlert(4).id]);
    expect(ids(await hitsOf(url, index, { term: { eventIds: 't5' } }))).toEqual([someAlert(5).id]);
    expect(ids(await hitsOf(url, index, { range: { '@timestamp': { gte: '2026-01-31T12:00:05Z' } } }))).toHaveLength(1);
  });

  it('are in an index of their day or month, or in one, and all under one name', async () => {
    const alerts = [someAlert(1), someAlert(2, { detectedAt: Date.UTC(2026, 1, 1) })];
    for (const [rollover, names] of [
      ['day', ['2026.01.31', '2026.02.01']],
      ['month', ['2026.01', '2026.02']],
    ] as const) {
      index = someIndex();
      await sinkOf({ rollover }).write(alerts);
      expect((await hitsOf(url, index)).map(({ _index }) => _index).sort()).toEqual(names.map((n) => `${index}-${n}`));
      expect(await ask(`${url}/${index}/_count`)).toMatchObject({ count: 2 });
    }
    index = someIndex();
    await sinkOf({ rollover: 'none' }).write(alerts);
    expect(new Set((await hitsOf(url, index)).map(({ _index }) => _index))).toEqual(new Set([index]));
  });

  it('go to where the alias writes, also after a rollover', async () => {
    const sink = sinkOf({ rollover: 'alias' });
    await sink.write([someAlert(1)]);
    await ask(`${url}/${index}/_rollover`, {});
    await sinkOf({ rollover: 'alias' }).write([someAlert(2)]);
    const hits = await hitsOf(url, index);
    expect(hits.map(({ _id, _index }) => [_id, _index]).sort()).toEqual([
      [someAlert(1).id, `${index}-000001`],
      [someAlert(2).id, `${index}-000002`],
    ]);
  });

  it('are sent again one by one where the cluster takes only some of them, and refused ones are told', async () => {
    await sinkOf().write([someAlert(0)]);
    await ask(`${url}/${index}-2026.02.01`, {}).catch(() => undefined);
    await fetch(`${url}/${index}-2026.02.01`, { method: 'PUT' });
    const blocked = (is: boolean | null) =>
      fetch(`${url}/${index}-2026.02.01/_settings`, {
        ...{ method: 'PUT', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ 'index.blocks.write': is }),
      });
    await blocked(true);
    const later = someAlert(2, { detectedAt: Date.UTC(2026, 1, 1) });
    const sink = sinkOf();
    const error = await sink.write([someAlert(1), later, someAlert(3, poison)]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      message: expect.stringContaining('does not take some documents now (cluster_block_exception'),
      refused: [{ alert: { id: someAlert(3).id }, detail: expect.stringContaining('immense term') }],
      remaining: [later],
    });
    await blocked(null);
    await sink.write([later]);
    expect(ids(await hitsOf(url, index))).toEqual([0, 1, 2].map((n) => someAlert(n).id));
  });

  it('go to the next node where one does not answer', async () => {
    await sinkOf({}, ['http://127.0.0.1:1', url]).write([someAlert(1)]);
    expect(await hitsOf(url, index)).toHaveLength(1);
    await expect(sinkOf({}, ['http://127.0.0.1:1']).write([someAlert(1)])).rejects.toThrow(
      'http://127.0.0.1:1 does not answer (connect ECONNREFUSED 127.0.0.1:1): see that it runs there',
    );
  });
});

describe('what a node answers', () => {
  it.each([
    [401, 'check username and password, or apiKey'],
    [403, 'its user needs the rights create_index, index and manage_index_templates'],
    [404, 'check that the URL is that of Elasticsearch or OpenSearch'],
    [503, 'answered 503'],
  ])('%s is told with what to do, and everything remains', async (status, hint) => {
    const server = createServer((_, response) => response.writeHead(status).end('no')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const sink = sinkFor([`http://127.0.0.1:${(server.address() as AddressInfo).port}`], 'x');
    const error = await sink.write([someAlert(1)]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringContaining(hint), remaining: [someAlert(1)] });
    await sink.close();
    server.close();
  });

  it('413 has the request sent in halves, and a single alert refused', async () => {
    const sizes: number[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      if (request.url?.startsWith('/_index_template')) return response.writeHead(200).end('{}');
      const count = body.split('\n').filter((line) => line.startsWith('{"index"')).length;
      sizes.push(count);
      if (count > 1 || body.includes('poison')) return response.writeHead(413).end('too large');
      return response.writeHead(200).end(JSON.stringify({ items: [{ index: { status: 201 } }] }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const sink = sinkFor([`http://127.0.0.1:${(server.address() as AddressInfo).port}`], 'x');
    const alerts = [someAlert(1), someAlert(2, { title: 'poison' }), someAlert(3)];
    const error = await sink.write(alerts).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ refused: [{ alert: alerts[1] }], remaining: [] });
    expect(sizes).toEqual([3, 1, 2, 1, 1]);
    await sink.close();
    server.close();
  });
});
