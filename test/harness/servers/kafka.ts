/** Apache Kafka in KRaft mode, one or more nodes that are broker and controller in one. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { cached, KAFKA, kafkaJars } from './jars.js';
import { accepts, end, freePorts, isAlive, type Launched, launch, logOf, untilReady } from './process.js';

const run = promisify(execFile);
const CLUSTER_ID = 'c3Rha2VvdXQtdGVzdC1jbA';
const HEAP = '384m';
/** Starting takes most of a broker's processor time: code that is compiled once, and not a second time for speed, is there sooner. */
const QUICK = '-XX:TieredStopAtLevel=1';
const ARCHIVE = 'classes.jsa';
const ARCHIVED_MAX_MS = 90_000;

/** Options of each JVM here. */
type Java = readonly string[];

export interface KafkaCluster {
  readonly brokers: readonly string[];
  /** Addresses of the CLIENT listener; empty without one. */
  readonly securedBrokers: readonly string[];
  /** Process ids and folder, so that another process can end it. */
  readonly pids: readonly number[];
  readonly dir: string | null;
  /** Ends a node as a power cut would. Nodes count from 1. */
  kill9(node: number): Promise<void>;
  /** Nothing where it runs. */
  startNode(node: number): Promise<void>;
  stop(): Promise<void>;
}

export interface KafkaStart {
  /** Default 1. */
  readonly nodes?: number;
  /** A cluster of one's own even where KAFKA_BROKERS names one: for tests that kill brokers. */
  readonly own?: boolean;
  /** A second listener, named CLIENT, for tests of TLS and SASL. */
  readonly secured?: Secured;
  readonly owner?: number;
}

export interface Secured {
  readonly protocol: 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Lines for server.properties, mostly `listener.name.client.…`. */
  readonly properties: readonly string[];
  /** As for the format tool: `SCRAM-SHA-256=[name=alice,password=…]`. */
  readonly scram?: readonly string[];
}

interface Node {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly securedPort: number;
  readonly dir: string;
  server: Launched | null;
}

export async function startKafka(options: KafkaStart = {}): Promise<KafkaCluster> {
  const theirs = process.env.KAFKA_BROKERS;
  if (theirs !== undefined && !options.own) return foreign(theirs.split(','));
  const java = await quickJava(await kafkaJars());
  return startCluster(java, options);
}

async function startCluster(java: Java, options: KafkaStart): Promise<KafkaCluster> {
  const count = options.nodes ?? 1;
  const ports = await freePorts(count * 3);
  const dir = mkdtempSync(path.join(tmpdir(), 'stakeout-kafka-'));
  const nodes = Array.from({ length: count }, (_, i): Node => {
    const [port = 0, controllerPort = 0, securedPort = 0] = ports.slice(3 * i);
    return { id: i + 1, port, controllerPort, securedPort, dir: path.join(dir, `node-${i + 1}`), server: null };
  });
  const owner = options.owner ?? process.pid;
  await Promise.all(nodes.map((node) => format(java, node, nodes, options.secured)));
  const start = async (node: Node) => {
    if (node.server !== null && isAlive(node.server.pid)) return;
    node.server = startOne(java, node, owner);
    await ready(node, node.server);
  };
  const stop = async () => {
    await Promise.all(nodes.map((node) => (node.server === null ? undefined : end(node.server.pid, 'SIGKILL'))));
    rmSync(dir, { recursive: true, force: true });
  };
  await Promise.all(nodes.map(start)).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const byId = (id: number): Node => {
    const node = nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  };
  return {
    brokers: nodes.map((node) => `127.0.0.1:${node.port}`),
    securedBrokers: options.secured === undefined ? [] : nodes.map((node) => `127.0.0.1:${node.securedPort}`),
    pids: nodes.flatMap((node) => node.server?.pid ?? []),
    dir,
    kill9: async (id) => {
      const { server } = byId(id);
      if (server !== null) await end(server.pid, 'SIGKILL');
    },
    startNode: (id) => start(byId(id)),
    stop,
  };
}

function foreign(brokers: readonly string[]): KafkaCluster {
  const refuse = () => Promise.reject(new Error('KAFKA_BROKERS names a cluster that is not ours to kill'));
  return {
    brokers,
    securedBrokers: [],
    pids: [],
    dir: null,
    kill9: refuse,
    startNode: refuse,
    stop: () => Promise.resolve(),
  };
}

async function format(java: Java, node: Node, nodes: readonly Node[], secured: Secured | undefined): Promise<void> {
  const data = path.join(node.dir, 'data');
  mkdirSync(data, { recursive: true });
  const replicas = Math.min(3, nodes.length);
  const inSync = replicas > 1 ? 2 : 1;
  const also =
    secured === undefined
      ? { listener: '', protocol: '' }
      : { listener: `,CLIENT://127.0.0.1:${node.securedPort}`, protocol: `,CLIENT:${secured.protocol}` };
  const properties = [
    'process.roles=broker,controller',
    `node.id=${node.id}`,
    `controller.quorum.voters=${nodes.map((n) => `${n.id}@127.0.0.1:${n.controllerPort}`).join(',')}`,
    'controller.listener.names=CONTROLLER',
    `listeners=PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://127.0.0.1:${node.controllerPort}${also.listener}`,
    `listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${also.protocol}`,
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${data}`,
    'auto.create.topics.enable=false',
    `default.replication.factor=${replicas}`,
    `min.insync.replicas=${inSync}`,
    `offsets.topic.replication.factor=${replicas}`,
    'offsets.topic.num.partitions=4',
    `transaction.state.log.replication.factor=${replicas}`,
    `transaction.state.log.min.isr=${inSync}`,
    'transaction.state.log.num.partitions=4',
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=1000',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms=500',
    'broker.session.timeout.ms=6000',
    'broker.heartbeat.interval.ms=1000',
    // Tests write records of any age.
    'log.retention.ms=-1',
    ...(secured?.properties ?? []),
  ];
  const file = path.join(node.dir, 'server.properties');
  writeFileSync(file, `${properties.join('\n')}\n`);
  const tool = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file];
  for (const credential of secured?.scram ?? []) tool.push('--add-scram', credential);
  await run('java', [...java, ...tool]);
}

function startOne(java: Java, node: Node, owner: number): Launched {
  const log = path.join(node.dir, 'server.log');
  if (existsSync(log)) rmSync(log);
  const memory = [`-Xms${HEAP}`, `-Xmx${HEAP}`, '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];
  const args = [...memory, ...java, 'kafka.Kafka', path.join(node.dir, 'server.properties')];
  return launch({ command: 'java', args, dir: node.dir, owner, temporary: path.dirname(node.dir) });
}

async function ready(node: Node, server: Launched): Promise<void> {
  const started = async () => /Kafka Server started/.test(logOf(server)) && accepts(node.port);
  await untilReady(`Kafka node ${node.id}`, server, started);
}

/**
 * With Kafka's classes as a first run left them in memory: reading and checking them is most of what a start takes. A JVM passes over
 * an archive that another one made.
 */
async function quickJava(jars: string): Promise<Java> {
  const log = `-Dlog4j2.configurationFile=file:${path.join(jars, 'log4j2.properties')}`;
  const java = [QUICK, '-cp', path.join(jars, '*'), log];
  const folder = await cached(`kafka-${KAFKA}-classes`, (into) => archiveClasses(java, path.join(into, ARCHIVE)));
  return [`-XX:SharedArchiveFile=${path.join(folder, ARCHIVE)}`, ...java];
}

async function archiveClasses(java: Java, archive: string): Promise<void> {
  const once = await startCluster([`-XX:ArchiveClassesAtExit=${archive}`, ...java], {});
  // Written when it ends in good order.
  await Promise.all(once.pids.map((pid) => end(pid, 'SIGTERM', ARCHIVED_MAX_MS)));
  await once.stop();
}
