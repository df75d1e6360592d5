export { type KafkaCluster, type KafkaStart, type Secured, startKafka } from './kafka.js';
export { type Redis, type RedisStart, startRedis } from './redis.js';
export { type Registry, startRegistry } from './registry.js';
export { sharedKafka, sharedRedis, sharedRegistry } from './shared.js';
