import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const project = join(import.meta.dirname, '..', 'peers-kafka');
const OPENED = ['java.lang', 'java.util', 'java.util.concurrent', 'java.net', 'java.time', 'java.nio', 'java.text'];

export interface FlinkRun {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly schema: string;
  readonly alerts: string;
  readonly groupId: string;
  readonly parallelism: number;
  readonly state: string;
  /** For its checkpoints. */
  readonly folder: string;
  readonly checkpointMs: number;
}

/** Flink CEP from and to Kafka (`bench/peers-kafka`), built with Maven when it is first wanted. Needs Java 17. */
export class FlinkPeer {
  private constructor(private readonly classPath: string) {}

  static async build(): Promise<FlinkPeer> {
    const root = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'stakeout-bench-peers');
    mkdirSync(root, { recursive: true });
    const list = join(root, 'class-path');
    const build = [`-Dbuild.root=${root}`, 'compile', 'dependency:build-classpath', `-Dmdep.outputFile=${list}`];
    await promisify(execFile)('mvn', ['-B', '-q', '-f', join(project, 'pom.xml'), ...build], { maxBuffer: 1 << 24 });
    if (!existsSync(list)) throw new Error(`Maven wrote no class path to ${list}`);
    return new FlinkPeer(`${join(root, 'classes')}:${readFileSync(list, 'utf8')}`);
  }

  /** Ends by itself when it has read what is in the topic now, and committed what follows from it. */
  start(run: FlinkRun): ChildProcess {
    const { brokers, topic, schema, alerts, groupId, parallelism, state, folder, checkpointMs } = run;
    const opens = OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
    const job = [brokers.join(','), topic, schema, alerts, groupId, parallelism, state, folder, checkpointMs];
    const java = ['-Xms2g', '-Xmx2g', '-XX:+UseParallelGC', '-XX:+AlwaysPreTouch', ...opens, '-cp', this.classPath];
    return spawn('java', [...java, 'stakeout.FlinkKafka', ...job.map(String)], {
      stdio: 'ignore',
    });
  }
}
