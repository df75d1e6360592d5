import type { Command } from 'commander';
import type { LiftOptions } from './commands/quarantine.js';
import type { Output } from './output.js';

type Run = (json: boolean, action: (output: Output) => Promise<number>) => Promise<void>;
type Options = LiftOptions & { readonly json?: boolean };
const load = () => import('./commands/quarantine.js');

/** `stakeout quarantine …`: rules that were stopped. */
export function addQuarantine(program: Command, run: Run): void {
  const common = (command: Command): Command =>
    command
      .option('--config <file>', 'config file (docs/settings.md)')
      .option('--to <url>', 'the running service (that of the config, on this machine)')
      .option('--json', 'print one JSON document on standard output, all else on standard error');
  const quarantine = program.command('quarantine').description('rules that a running service has stopped');
  common(
    quarantine.command('show', { isDefault: true }).description('which there are, in which partitions, and why'),
  ).action((options: Options) =>
    run(options.json === true, async (output) => (await load()).showQuarantine(options, output)),
  );
  common(
    quarantine
      .command('lift <pattern>')
      .description('has a rule run again, with nothing under way')
      .option('--anyway', 'even where the service that is asked has it in quarantine nowhere')
      .option('--author <name>', 'who does it (the user of this machine)')
      .option('--message <text>', 'why'),
  ).action((id: string, options: Options) =>
    run(options.json === true, async (output) => (await load()).liftQuarantine(id, options, output)),
  );
}
