import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { jest } from '@jest/globals';
import type { KafkaSasl } from '../../src/connectors/kafka/client/options.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { systemClock } from '../../src/connectors/system-clock.js';
import { awaitLog } from '../../src/service/compose/await-log.js';
import { RecordingListener } from '../harness/recording-listener.js';
import { type KafkaCluster, SERVER_START_MS, startKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';

jest.setTimeout(SERVER_START_MS);

const SASL = 'org.apache.kafka.common.security';
const PASSWORD = 'correct horse';
const CREDENTIALS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((m) => `${m}=[name=alice,password=${PASSWORD}]`);

/** A token as Kafka's own unsecured handler takes it: no signature, valid for an hour. */
function token(subject: string): string {
  const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + 3_600 })}.`;
}

describe('the log on a Kafka with TLS and authentication', () => {
  let cluster: KafkaCluster;
  let folder: string;
  let ca: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'stakeout-tls-'));
    const [key, certificate, both] = ['key.pem', 'cert.pem', 'both.pem'].map((name) => path.join(folder, name));
    const subject = ['-subj', '/CN=stakeout-test', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', `${key}`, '-out', `${certificate}`];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject], {
      stdio: 'ignore',
    });
    ca = readFileSync(`${certificate}`, 'utf8');
    writeFileSync(`${both}`, readFileSync(`${key}`, 'utf8') + ca);
    const of = 'listener.name.client';
    cluster = await startKafka({
      own: true,
      secured: {
        protocol: 'SASL_SSL',
        scram: CREDENTIALS,
        properties: [
          `${of}.ssl.keystore.type=PEM`,
          `${of}.ssl.keystore.location=${both}`,
          `${of}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER`,
          `${of}.plain.sasl.jaas.config=${SASL}.plain.PlainLoginModule required user_alice="${PASSWORD}";`,
          `${of}.scram-sha-256.sasl.jaas.config=${SASL}.scram.ScramLoginModule required;`,
          `${of}.scram-sha-512.sasl.jaas.config=${SASL}.scram.ScramLoginModule required;`,
          `${of}.oauthbearer.sasl.jaas.config=${SASL}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
        ],
      },
    });
  });

  afterAll(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (sasl: KafkaSasl, tls: ConnectionOptions = { ca }) =>
    new KafkaLog({ brokers: cluster.securedBrokers, clientId: 'secure', tls, sasl });

  const users: KafkaSasl[] = [
    { mechanism: 'PLAIN', username: 'alice', password: PASSWORD },
    { mechanism: 'SCRAM-SHA-256', username: 'alice', password: PASSWORD },
    { mechanism: 'SCRAM-SHA-512', username: 'alice', password: async () => PASSWORD },
    { mechanism: 'OAUTHBEARER', token: async () => token('alice') },
  ];

  it.each(users)('sends, reads and commits over TLS as a user of $mechanism', async (sasl) => {
    const log = open(sasl);
    const topic = `secure-${sasl.mechanism.toLowerCase()}`;
    await log.createTopic({ name: topic, partitions: 1 });
    await (await log.producer()).send([{ topic, key: null, value: Buffer.from('secret') }]);
    const listener = new RecordingListener();
    const member = await log.join({ groupId: topic, topics: { names: [topic] }, start: { at: 'earliest' } }, listener);
    await until(() => listener.received.length === 1, 'the record');
    await member.commit([{ topic, partition: 0, offset: 1 }]);
    expect(listener.texts()).toEqual(['secret']);
    expect((await log.committed(topic)).get(`${topic}-0`)).toBe(1);
    await log.close();
  });

  it('says at once, and does not go on trying, when the password is wrong', async () => {
    const log = open({ mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'wrong' });
    const refused = { code: 'KAFKA_AUTHENTICATION_FAILED' };
    await expect(log.topics()).rejects.toMatchObject(refused);
    const listener = new RecordingListener();
    await log.join({ groupId: 'wrong', topics: { names: ['t'] }, start: { at: 'earliest' } }, listener);
    await until(() => listener.fatal.length === 1, 'onFatal');
    expect(listener.fatal[0]).toMatchObject(refused);
    const sent = (await log.producer()).send([{ topic: 't', key: null, value: null }]);
    await expect(sent).rejects.toMatchObject(refused);
    await log.close();
  });

  it('has the service end its start when the password is wrong, and say where to look', async () => {
    const log = open({ mechanism: 'PLAIN', username: 'alice', password: 'wrong' });
    const { signal } = new AbortController();
    const onWait = (text: string) => {
      throw new Error(text);
    };
    const refused = await awaitLog({ log, clock: systemClock, name: 'Kafka', signal, onWait }).catch((error) => error);
    expect(refused).toMatchObject({ code: 'LOG_REFUSED' });
    expect(refused.message).toMatch(/^Kafka: .*SASL.* Look at kafka\.sasl \(mechanism, username, password\)/s);
    await log.close();
  });

  it('does not speak to a broker whose certificate it does not trust', async () => {
    const log = open({ mechanism: 'PLAIN', username: 'alice', password: PASSWORD }, {});
    await expect(log.topics()).rejects.toMatchObject({
      code: 'KAFKA_AUTHENTICATION_FAILED',
      message: expect.stringContaining('self-signed certificate'),
    });
    await log.close();
  });
});
