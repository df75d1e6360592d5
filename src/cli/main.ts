import { Command, CommanderError } from 'commander';
import { CommandError } from './command-error.js';
import type { ApplyOptions, RollbackOptions } from './commands/apply.js';
import type { AuditOptions } from './commands/audit.js';
import type { BacktestOptions } from './commands/backtest.js';
import type { BenchCommandOptions } from './commands/bench.js';
import type { ExplainCommandOptions } from './commands/explain.js';
import type { RunCommandOptions } from './commands/run.js';
import type { CreateOptions } from './commands/savepoint/create.js';
import type { RestoreCommandOptions } from './commands/savepoint/restore.js';
import { addInterchange } from './interchange-commands.js';
import { addLists } from './lists-commands.js';
import { makeOutput, type Output } from './output.js';
import { addQuarantine } from './quarantine-commands.js';
import { addTemplates } from './template-commands.js';
import { packageVersion } from './version.js';

type Action = (output: Output) => Promise<number>;

/** Runs one command. Answers with the exit status; everything that can go wrong for a user ends here as a message. */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = makeProgram(async (json, action) => {
    status = await action(makeOutput(json));
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    process.stderr.write(
      `${error instanceof CommandError ? error.message : ((error as Error).stack ?? String(error))}\n`,
    );
    return 1;
  }
}

/** Does what a command asks for, once its arguments are read. */
export type Run = (json: boolean, action: Action) => Promise<void>;

const JSON_OPTION = ['--json', 'print one JSON document on standard output, all else on standard error'] as const;
const CONFIG_OPTION = ['--config <file>', 'config file (docs/settings.md)'] as const;

/** Commands are loaded when they are run: `validate` does not wait for Nest. */
export function makeProgram(run: Run): Command {
  const program = new Command('stakeout').exitOverride().version(packageVersion()).showHelpAfterError();
  program.description('Finds fraud in a stream of transactions while it happens.');
  program
    .command('start')
    .description('the service; with no Kafka named, on the embedded log with a demo stream')
    .option(...CONFIG_OPTION)
    .action((options: { config?: string }) =>
      run(false, async (output) => (await import('./commands/start.js')).start(options, output)),
    );
  program
    .command('validate <paths...>')
    .description('checks patterns: located errors and warnings')
    .option(...CONFIG_OPTION)
    .option('--witness', 'show for each rule a stream that fires it, and one that just does not')
    .option(...JSON_OPTION)
    .action((paths: string[], options: { config?: string; witness?: boolean; json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/validate.js')).validate(paths, options, output),
      ),
    );
  program
    .command('test <paths...>')
    .description("runs the patterns' own tests")
    .option(...CONFIG_OPTION)
    .option('--coverage', 'tell which steps were taken, and which conditions were true and false')
    .option(...JSON_OPTION)
    .action((paths: string[], options: { config?: string; coverage?: boolean; json?: boolean }) =>
      run(options.json === true, async (output) => (await import('./commands/test.js')).test(paths, options, output)),
    );
  program
    .command('run')
    .description('files through the engine, alerts out, no server')
    .requiredOption(...CONFIG_OPTION)
    .option('--data <dir>', 'folder of the files that the config names')
    .option('--patterns <path>', 'patterns to run instead of those that the config names')
    .option('--out <file>', 'write the alerts to this file, one JSON object a line')
    .option(
      '--near-misses <file>',
      'and to this one the partial matches that ended one step short, of patterns that tell them',
    )
    .option(...JSON_OPTION)
    .action((options: RunCommandOptions & { json?: boolean }) =>
      run(options.json === true, async (output) => (await import('./commands/run.js')).run(options, output)),
    );
  addBacktest(program, run);
  addApply(program, run);
  addLists(program, run);
  addAudit(program, run);
  addInterchange(program, run);
  addTemplates(program, run);
  addQuarantine(program, run);
  program
    .command('verify')
    .description('replays a topic under the journal, and compares the alerts with those that were committed')
    .option(...CONFIG_OPTION)
    .option('--topic <name>', "topic to replay (the stream's own)")
    .option('--from <time>', 'alerts complete from this event time on, e.g. 2026-01-31T00:00:00Z (all)')
    .option('--to <time>', 'and before this one (all)')
    .option(...JSON_OPTION)
    .action((options: { config?: string; topic?: string; from?: string; to?: string; json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/verify.js')).verifyCommand(options, output),
      ),
    );
  addExplain(program, run);
  addSavepoint(program, run);
  program
    .command('key <name>')
    .description('makes an API key, and prints its hash for the config')
    .requiredOption('--role <role>', 'viewer, analyst, approver or operator')
    .option(...JSON_OPTION)
    .action((name: string, options: { role: string; json?: boolean }) =>
      run(options.json === true, async (output) => (await import('./commands/key.js')).makeKey(name, options, output)),
    );
  program
    .command('conformance <files...>')
    .description('runs cases recorded from Flink CEP through the engine')
    .option(...JSON_OPTION)
    .action((files: string[], options: { json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/conformance.js')).conformance(files, output),
      ),
    );
  program
    .command('bench')
    .description("the engine's own benchmark: workloads and sweeps, beside hand-written floors and other engines")
    .option('--workload <name...>', 'W1 to W5, W6-N, or a sweep; all workloads when absent (docs/benchmarks.md)')
    .option('--stream <name>', 'another stream: u5k, u500, z5k or hot, also as NAME/EVENTS/ACCOUNTS/RATE')
    .option('--events <n>', 'at most so many events of each stream')
    .option('--mode <mode>', 'in-order, watermark (behind a 5 s watermark) or both', 'both')
    .option('--warmup <n>', 'passes before the timed ones (2)')
    .option('--passes <n>', 'timed passes (5)')
    .option('--quick', 'a smoke run: few events, one pass')
    .option('--peers <dir>', 'folder with a run.sh that runs other engines (also STAKEOUT_PEERS)')
    .option('--peer <name...>', 'which of them: esper, siddhi, drools, flink, java (esper)')
    .option(...JSON_OPTION)
    .action((options: { json?: boolean } & BenchCommandOptions) =>
      run(options.json === true, async (output) => (await import('./commands/bench.js')).bench(options, output)),
    );
  return program;
}

function addExplain(program: Command, run: Run): void {
  program
    .command('explain')
    .description('why a pattern did not fire for a key at a time: what was missing, on which event, and by how much')
    .requiredOption('--key <value>', 'the account, card …: a value of what the pattern is keyed by')
    .requiredOption('--pattern <id>', 'the pattern')
    .requiredOption('--at <time>', 'event time at which it might have fired, e.g. 2026-01-31T10:05:00Z')
    .option(...CONFIG_OPTION)
    .option('--data <dir>', 'folder of the files that the config names')
    .option('--patterns <path>', 'patterns instead of those that the config names; with files')
    .option('--log', 'from the log, also where the config names files')
    .option('--to <url>', 'ask a running service')
    .option(...JSON_OPTION)
    .action((options: ExplainCommandOptions & { json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/explain.js')).explainCommand(options, output),
      ),
    );
}

function addApply(program: Command, run: Run): void {
  const published = (command: Command): Command =>
    command
      .option(...CONFIG_OPTION)
      .option('--to <url>', 'the running service (that of the config, on this machine)')
      .option('--author <name>', 'who changes them (the user of this machine)')
      .option('--message <text>', 'why')
      .option(...JSON_OPTION);
  published(
    program
      .command('apply <paths...>')
      .description('publishes the rules in these files and folders as the whole set of a running service')
      .option('--dry-run', 'only say what it would change'),
  ).action((paths: string[], options: ApplyOptions & { json?: boolean }) =>
    run(options.json === true, async (output) => (await import('./commands/apply.js')).apply(paths, options, output)),
  );
  published(
    program
      .command('rollback')
      .description('brings back the rule set before the one in force, or that of a revision')
      .option('--revision <n>', 'the revision to bring back'),
  ).action((options: RollbackOptions & { json?: boolean }) =>
    run(options.json === true, async (output) => (await import('./commands/apply.js')).rollback(options, output)),
  );
}

function addAudit(program: Command, run: Run): void {
  program
    .command('audit')
    .description('reads the whole history of the rules, and looks whether anyone has changed it')
    .option(...CONFIG_OPTION)
    .option('--hash <hash>', 'the hash of an entry, kept elsewhere: it must still be there')
    .option(...JSON_OPTION)
    .action((options: AuditOptions & { json?: boolean }) =>
      run(options.json === true, async (output) => (await import('./commands/audit.js')).audit(options, output)),
    );
}

function addBacktest(program: Command, run: Run): void {
  program
    .command('backtest')
    .description('history through the engine, measured by labels: precision, recall, money, work')
    .requiredOption(...CONFIG_OPTION)
    .option('--data <dir>', 'folder of the files that the config names')
    .option('--patterns <path>', 'patterns to run instead of those that the config names')
    .option('--topic <name>', 'read this topic in place of a file, apart from any group')
    .option('--profile <name>', 'one of backtest.profiles in the config')
    .option('--from <time>', 'score transactions from this time on, e.g. 2026-01-31 (backtest.from)')
    .option('--to <time>', 'and before this one (backtest.to)')
    .option('--warmup <duration>', 'how long before --from the reading of a topic begins (backtest.warmup)')
    .option('--rules <id...>', 'only these rules, drafts too')
    .option('--labels <file>', 'labels instead of those that the config names')
    .option('--baseline <path>', 'patterns to compare with: what is new, lost and common')
    .option(
      '--sweep <range...>',
      'values of a parameter of the rules to try in one pass: name=5000..20000:16, or name=1h,2h',
    )
    .option('--report <file>', 'write the report: one HTML file that needs no network')
    .option('--csv <file>', 'write every accused transaction and every missed fraud')
    .option('--lanes <n>', 'threads that share out the keys; they change no result', 'auto')
    .option('--min-precision <n>', 'fail below it: 0 to 1')
    .option('--min-recall <n>', 'fail below it: 0 to 1')
    .option('--min-f1 <n>', 'fail below it: 0 to 1')
    .option('--min-average-precision <n>', 'fail below it: 0 to 1')
    .option(...JSON_OPTION)
    .action((options: BacktestOptions & { json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/backtest.js')).backtestCommand(options, output),
      ),
    );
}

function addSavepoint(program: Command, run: Run): void {
  const savepoint = program
    .command('savepoint')
    .description("a service's whole state as one file, to go on with elsewhere");
  savepoint
    .command('create')
    .description('writes a savepoint of a service that has stopped, or has a running one write it')
    .option(...CONFIG_OPTION)
    .option('--out <file>', 'file to write (in savepoints/ of the data folder)')
    .option('--partial', 'leave out partitions whose state another machine has, which writes them itself')
    .option('--url <url>', 'a running service, which writes it into its own data folder')
    .option(...JSON_OPTION)
    .action((options: CreateOptions & { json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/savepoint/create.js')).createSavepoint(options, output),
      ),
    );
  savepoint
    .command('restore <files...>')
    .description('puts a savepoint in the place of the state and offsets of a service that has stopped')
    .option(...CONFIG_OPTION)
    .option('--from <position>', 'go on in another topic, or with other partitions: earliest, latest, or a time')
    .option('--topic <name>', "the topic to go on in (the stream's own); with --from")
    .option(
      '--held-back <what>',
      'events that waited when it was taken: write them to the topic, or skip them; with --from',
    )
    .option('--force', 'overwrite state and offsets that are there')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option(...JSON_OPTION)
    .action((files: string[], options: RestoreCommandOptions & { json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/savepoint/restore.js')).restoreCommand(files, options, output),
      ),
    );
}
