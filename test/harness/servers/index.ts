export { type KafkaCluster, type KafkaStart, type Secured, startKafka } from './kafka.js';
export { startMariaDb } from './mariadb.js';
export { type OpenSearch, type OpenSearchStart, startOpenSearch } from './opensearch.js';
export { type SqlServer, type SqlStart, startPostgres } from './postgres.js';
export { type Prometheus, promtool, startPrometheus } from './prometheus.js';
export { type Redis, type RedisStart, startRedis } from './redis.js';
export { type Registry, startRegistry } from './registry.js';
export { type S3, startS3 } from './s3.js';
export { sharedKafka, sharedMariaDb, sharedOpenSearch, sharedPostgres, sharedRedis, sharedRegistry } from './shared.js';

/** For `jest.setTimeout` or `beforeAll`: the first start on a machine fetches the servers too. */
export const SERVER_START_MS = 300_000;
