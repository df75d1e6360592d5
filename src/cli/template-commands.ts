import type { Command } from 'commander';
import type { FillOptions, TemplateOptions } from './commands/template.js';
import type { Output } from './output.js';

type Run = (json: boolean, action: (output: Output) => Promise<number>) => Promise<void>;
const load = () => import('./commands/template.js');

/** `stakeout template …`: rules made from templates. */
export function addTemplates(program: Command, run: Run): void {
  const common = (command: Command): Command =>
    command
      .option('--config <file>', 'config file (docs/settings.md)')
      .option('--templates <dir>', 'folder of the templates (that of the config)')
      .option('--json', 'print one JSON document on standard output, all else on standard error');
  const template = program.command('template').description('rules made from templates');
  common(template.command('list', { isDefault: true }).description('which there are, and what they take')).action(
    (options: TemplateOptions & { json?: boolean }) =>
      run(options.json === true, async (output) => (await load()).listTemplates(options, output)),
  );
  common(
    template
      .command('fill <template>')
      .description('makes a rule of a template: prints it, writes it, or puts it into a running service')
      .option('--id <id>', 'what the rule is called')
      .option('--title <text>', 'its title (that of the template)')
      .option('--set <name=value...>', 'values of parameters; of lists with commas between')
      .option('--status <status>', 'draft, shadow or live', 'draft')
      .option('--out <dir>', 'write DIR/ID/pattern.yaml')
      .option('--publish', 'put it into the rule set of a running service, whose templates are meant then')
      .option('--dry-run', 'with --publish: only say what it would change')
      .option('--replace', 'put it in the place of the rule of this id')
      .option('--to <url>', 'the running service (that of the config, on this machine)')
      .option('--author <name>', 'who makes it (the user of this machine)')
      .option('--message <text>', 'why'),
  ).action((of: string, options: FillOptions & { json?: boolean }) =>
    run(options.json === true, async (output) => (await load()).fill(of, options, output)),
  );
}
