import { join } from 'node:path';
import { EmbeddedLog } from '../../connectors/embedded/embedded-log.js';
import { LogFolderReader } from '../../connectors/embedded/folder/log-folder-reader.js';
import { clientToken, fileToken } from '../../connectors/kafka/client/oauth-token.js';
import type { KafkaOptions } from '../../connectors/kafka/client/options.js';
import { systemClock } from '../../connectors/system-clock.js';
import type { Log, LogReader } from '../../runtime/ports/log.js';
import { readTlsFiles, type Settings } from '../../runtime/settings/index.js';

/** The log that the settings name: Kafka where there are brokers, else the embedded log in the data folder. */
export async function openLog(settings: Settings, report: (text: string) => void): Promise<Log> {
  const { brokers } = settings.kafka;
  if (brokers !== undefined) return kafkaLog(settings.kafka, brokers);
  return EmbeddedLog.open({
    directory: logFolder(settings),
    retentionMs: settings.retention,
    onTrouble: (trouble) => report(trouble.message),
  });
}

/** The log in words. */
export const logName = ({ kafka, data }: Settings): string =>
  kafka.brokers === undefined ? `the embedded log in ${data.directory}` : `Kafka at ${kafka.brokers.join(', ')}`;

/** The same log to read from alone, also while a service has the embedded one open. */
export async function openLogToRead(settings: Settings): Promise<LogReader> {
  const { brokers } = settings.kafka;
  return brokers === undefined ? new LogFolderReader(logFolder(settings)) : kafkaLog(settings.kafka, brokers);
}

const logFolder = ({ data }: Settings): string => join(data.directory, 'log');

/** The client is loaded where there are brokers: that takes as long as all else that a lane is made of. */
async function kafkaLog(kafka: Settings['kafka'], brokers: readonly string[]): Promise<Log> {
  const { KafkaLog } = await import('../../connectors/kafka/kafka-log.js');
  return new KafkaLog(kafkaOptions(kafka, brokers));
}

function kafkaOptions(kafka: Settings['kafka'], brokers: readonly string[]): KafkaOptions {
  const { tls, sasl } = kafka;
  return {
    brokers,
    clientId: kafka.clientId,
    transactionTimeoutMs: kafka.transactionTimeout,
    ...(tls.enabled ? { tls: kafkaTls(tls) } : {}),
    ...saslOf(sasl),
  };
}

function kafkaTls(tls: Settings['kafka']['tls']): NonNullable<KafkaOptions['tls']> {
  const { ca, certificate: cert, key } = readTlsFiles(tls, 'kafka.tls');
  return { ca, cert, key, rejectUnauthorized: tls.verify };
}

function saslOf({ mechanism, username, password, oauth }: Settings['kafka']['sasl']): Pick<KafkaOptions, 'sasl'> {
  if (mechanism === undefined) return {};
  if (mechanism !== 'OAUTHBEARER') return { sasl: { mechanism, username: username ?? '', password: password ?? '' } };
  const { tokenFile, tokenUrl, clientId, clientSecret, scope } = oauth;
  if (tokenFile !== undefined) return { sasl: { mechanism, token: fileToken(tokenFile) } };
  // The settings refuse one without the others.
  const client = { tokenUrl: tokenUrl!, clientId: clientId!, clientSecret: clientSecret! };
  const token = clientToken({ ...client, ...(scope === undefined ? {} : { scope }) }, () => systemClock.now());
  return { sasl: { mechanism, token } };
}
