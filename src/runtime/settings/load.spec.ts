import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatSettingsError,
  type LoadOptions,
  loadSettings,
  type Settings,
  shippedPatterns,
  shippedSchema,
} from './index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'stakeout.yaml');
  writeFileSync(path, text);
  return path;
}

function good(options: Partial<LoadOptions> = {}): Settings {
  const result = loadSettings({ env: {}, cwd: folder, ...options });
  if ('errors' in result) throw new Error(result.errors.map(formatSettingsError).join('\n'));
  return result.settings;
}

function errorsOf(options: Partial<LoadOptions>) {
  const result = loadSettings({ env: {}, cwd: folder, ...options });
  if (!('errors' in result)) throw new Error('no errors');
  return result.errors;
}

function messages(options: Partial<LoadOptions>): string[] {
  return errorsOf(options).map((error) => formatSettingsError(error).replaceAll(folder, ''));
}

describe('defaults', () => {
  it('is the embedded log with the demo and the shipped patterns when nothing is said', () => {
    const settings = good();
    expect(settings.kafka.brokers).toBeUndefined();
    expect(settings.demo).toEqual({ enabled: true, rate: 50, seed: 1 });
    expect(settings.patterns).toBe(shippedPatterns);
    expect(settings.data.directory).toBe(join(folder, '.stakeout'));
    expect(settings.start).toEqual({ at: 'earliest' });
    expect(settings.commit).toEqual({ interval: 100, records: 5000 });
    expect(settings.streams.transactions).toMatchObject({
      name: 'transactions',
      topic: 'transactions',
      topics: { names: ['transactions'] },
      format: 'avro',
      schema: shippedSchema,
      key: 'accountId',
      outOfOrderness: 2000,
      idleAfter: 30_000,
      mode: 'event-time',
    });
  });

  it('switches the demo off with Kafka, unless it is asked for', () => {
    expect(good({ env: { KAFKA_BROKERS: 'a:9092,b:9093' } })).toMatchObject({
      kafka: { brokers: ['a:9092', 'b:9093'] },
      demo: { enabled: false },
    });
    expect(good({ env: { KAFKA_BROKERS: 'a:9092', STAKEOUT_DEMO_ENABLED: 'true' } }).demo.enabled).toBe(true);
  });

  it('reads Confluent frames when a registry is named', () => {
    expect(good({ env: { SCHEMA_REGISTRY_URL: 'http://registry:8081' } }).streams.transactions?.format).toBe(
      'avro-confluent',
    );
  });
});

describe('sources', () => {
  it('takes overrides before the environment before the file', () => {
    const path = file('http: {port: 1, host: a}\nname: n\nlog: {level: warn}\n');
    const settings = good({
      file: path,
      env: { HTTP_PORT: '2', LOG_LEVEL: 'debug' },
      overrides: { http: { port: 3 } },
    });
    expect(settings.http).toMatchObject({ port: 3, host: 'a' });
    expect(settings.log.level).toBe('debug');
    expect(settings.name).toBe('n');
  });

  it('prefers the variable made from the path to the conventional ones, and takes an empty one as not set', () => {
    expect(good({ env: { PORT: '1', HTTP_PORT: '2', STAKEOUT_HTTP_PORT: '3' } }).http.port).toBe(3);
    expect(good({ env: { PORT: '1', HTTP_PORT: '' } }).http.port).toBe(1);
  });

  it('sets a field of a stream by its name', () => {
    expect(good({ env: { STAKEOUT_STREAMS_TRANSACTIONS_TOPIC: 'payments' } }).streams.transactions?.topic).toBe(
      'payments',
    );
  });

  it('resolves paths in the file against the file and others against the current folder', () => {
    const path = file('patterns: rules\nstreams:\n  cards:\n    file: ../cards.avro\n    schema: c.avsc\n');
    const settings = good({ file: path, cwd: '/elsewhere', env: { STAKEOUT_DATA_DIRECTORY: 'state' } });
    expect(settings.patterns).toBe(join(folder, 'rules'));
    expect(settings.streams.cards?.schema).toBe(join(folder, 'c.avsc'));
    expect(settings.data.directory).toBe('/elsewhere/state');
    expect(settings.streams.cards).toMatchObject({ topics: undefined, topic: undefined, format: 'avro' });
  });

  it('reads a secret from the file that a variable names', () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 's3cret\n');
    const env = { STAKEOUT_KAFKA_SASL_PASSWORD_FILE: secret };
    expect(good({ env }).kafka.sasl.password).toBe('s3cret');
    expect(messages({ env: { STAKEOUT_KAFKA_SASL_PASSWORD_FILE: join(folder, 'none') } })).toEqual([
      'STAKEOUT_KAFKA_SASL_PASSWORD_FILE: expected a file that can be read, got /none (ENOENT)',
    ]);
  });

  it('takes a regular expression for topics and a time to start at', () => {
    const path = file("start: '2026-01-31T10:00:00Z'\nstreams:\n  s: {topics: '/pay-.+/', schema: s.avsc}\n");
    const settings = good({ file: path });
    expect(settings.streams.s?.topics).toEqual({ pattern: /^(?:pay-.+)$/ });
    expect(settings.start).toEqual({ at: 'timestamp', timestamp: Date.UTC(2026, 0, 31, 10) });
  });

  it('leaves variables alone that Kubernetes makes for a service called stakeout', () => {
    expect(good({ env: { STAKEOUT_SERVICE_HOST: '10.0.0.1', STAKEOUT_PORT: 'tcp://10.0.0.1:8080' } }).http.port).toBe(
      8080,
    );
  });
});

describe('errors', () => {
  it('reports all of them at once, each with its place, what was expected and what was there', () => {
    const path = file(
      [
        'kafka:',
        '  broker: [a:9092]',
        'streams:',
        '  transactions:',
        '    schema: s.avsc',
        '    outOfOrderness: 10',
        '    topic: a',
        '    file: b.avro',
        'http: {port: 99999}',
        'commit: soon',
      ].join('\n'),
    );
    const env = { LOG_LEVEL: 'loud', STAKEOUT_HTTP_PROT: '1', KAFKA_BROKERS: 'a' };
    expect(messages({ file: path, env })).toEqual([
      'STAKEOUT_HTTP_PROT: expected the variable of a setting, got an unknown name; did you mean STAKEOUT_HTTP_PORT?',
      '/stakeout.yaml:6: streams.transactions.outOfOrderness: expected a duration such as 250ms, 10s, 5m, 1h30m or 7d, got 10',
      'KAFKA_BROKERS: expected a list of host:port, at least one, got ["a"]',
      '/stakeout.yaml:2: kafka.broker: expected one of brokers, clientId, groupId, transactionalId, transactionTimeout, tls, sasl, got an unknown key; did you mean brokers?',
      '/stakeout.yaml:9: http.port: expected a whole number from 0 to 65535, got 99999',
      '/stakeout.yaml:10: commit: expected a section, got "soon"',
      'LOG_LEVEL: expected one of trace, debug, info, warn, error, silent, got "loud"',
      '/stakeout.yaml:4: streams.transactions: expected one of topic, topics, file, table.name and table.query, got topic and file',
    ]);
  });

  it('never shows a secret', () => {
    const text = messages({ env: { REDIS_URL: 'redish://:hunter2@host' } }).join();
    expect(text).toBe(
      'REDIS_URL: expected a URL that begins with redis:// or rediss://, got something else (a secret, not shown)',
    );
  });

  it('says where the YAML is broken, or that there is no file', () => {
    expect(errorsOf({ file: file('a: [1\nb: 2') })[0]).toMatchObject({
      code: 'SETTINGS_FILE_SYNTAX',
      expected: 'YAML',
    });
    expect(errorsOf({ file: 'none.yaml' })[0]).toMatchObject({ code: 'SETTINGS_FILE_UNREADABLE', got: 'ENOENT' });
  });

  it('finds settings that need each other', () => {
    const path = file(
      'kafka: {sasl: {mechanism: PLAIN, username: u}}\nstreams: {a: {format: avro-confluent}, b: {topic: b}}\n',
    );
    expect(messages({ file: path })).toEqual([
      'registry.url: expected a URL, because streams.a.format is avro-confluent, got nothing',
      '/stakeout.yaml:2: streams.b.schema: expected an Avro schema (.avsc), because plain Avro does not carry its own, got nothing',
      '/stakeout.yaml:1: kafka.sasl.password: expected a password, because kafka.sasl.mechanism is set, got nothing',
    ]);
  });

  it('finds what does not fit the type of a sink', () => {
    const path = file(
      [
        'sinks:',
        '  a: {type: postgres, url: mysql://h/d, topic: t}',
        '  b: {type: kafka, brokers: [a:9092]}',
        '  c: {url: https://h}',
        '  d: {type: parquet}',
        '  e: {type: elasticsearch, username: u}',
        '  f: {type: webhok, url: https://h}',
        '  redis: {type: redis, url: redis://h}',
      ].join('\n'),
    );
    expect(messages({ file: path, env: { REDIS_URL: 'redis://h' } })).toEqual([
      '/stakeout.yaml:7: sinks.f.type: expected one of redis, postgres, mysql, elasticsearch, webhook, kafka, parquet, got "webhok"',
      '/stakeout.yaml:2: sinks.a.topic: expected nothing, because a sink of type postgres has no topic (it has type, severity, timeout, url, table, create, batch, tls), got a value',
      '/stakeout.yaml:2: sinks.a.url: expected a URL that begins with postgres:// or postgresql://, got another one',
      "/stakeout.yaml:3: sinks.b.topic: expected a topic, because the sink's type is kafka, got nothing",
      '/stakeout.yaml:4: sinks.c.type: expected one of redis, postgres, mysql, elasticsearch, webhook, kafka, parquet, got nothing',
      '/stakeout.yaml:5: sinks.d.directory: expected either directory or s3.bucket, got neither',
      "/stakeout.yaml:6: sinks.e.urls: expected a value, because the sink's type is elasticsearch, got nothing",
      '/stakeout.yaml:8: sinks.redis: expected another name, because the sink of redis.url is called so, got redis',
    ]);
  });

  it('takes the secrets of a sink from the environment', () => {
    const path = file('sinks: {hook: {type: webhook, url: https://h/in}}\n');
    expect(good({ file: path, env: { STAKEOUT_SINKS_HOOK_SECRET: 's' } }).sinks.hook).toMatchObject({
      secret: 's',
      severity: 'low',
    });
  });
});
