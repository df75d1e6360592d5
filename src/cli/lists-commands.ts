import type { Command } from 'commander';
import type { ListsOptions } from './commands/lists.js';
import type { Output } from './output.js';

type Run = (json: boolean, action: (output: Output) => Promise<number>) => Promise<void>;
type Options = ListsOptions & { readonly json?: boolean };
const load = () => import('./commands/lists.js');

/** `stakeout lists …`: the reference lists of a running service. */
export function addLists(program: Command, run: Run): void {
  const common = (command: Command): Command =>
    command
      .option('--config <file>', 'config file (docs/settings.md)')
      .option('--to <url>', 'the running service (that of the config, on this machine)')
      .option('--json', 'print one JSON document on standard output, all else on standard error');
  const signed = (command: Command): Command =>
    common(command)
      .option('--author <name>', 'who changes it (the user of this machine)')
      .option('--message <text>', 'why');
  const lists = program.command('lists').description('the reference lists of a running service');
  const asJson = (options: Options): boolean => options.json === true;
  common(lists.command('show', { isDefault: true }).description('which there are, and which rules ask them')).action(
    (options: Options) => run(asJson(options), async (output) => (await load()).showLists(options, output)),
  );
  common(lists.command('get <name>').description('what it holds: an entry a line, of a map key,value')).action(
    (name: string, options: Options) =>
      run(asJson(options), async (output) => (await load()).getList(name, options, output)),
  );
  signed(
    lists
      .command('put <name> <file>')
      .description('puts a file in its place: one entry a line, CSV (.csv) or JSON (.json)')
      .option('--kind <kind>', 'set or map (as it is; of a new list by the form of the file)'),
  ).action((name: string, file: string, options: Options) =>
    run(asJson(options), async (output) => (await load()).putList(name, file, options, output)),
  );
  signed(lists.command('add <name> <entries...>').description('puts entries, of a map key=value')).action(
    (name: string, entries: string[], options: Options) =>
      run(asJson(options), async (output) => (await load()).changeList(name, entries, 'add', options, output)),
  );
  signed(lists.command('remove <name> <entries...>').description('takes entries away, of a map by their keys')).action(
    (name: string, entries: string[], options: Options) =>
      run(asJson(options), async (output) => (await load()).changeList(name, entries, 'remove', options, output)),
  );
  signed(lists.command('delete <name>').description('takes a list away that no rule asks')).action(
    (name: string, options: Options) =>
      run(asJson(options), async (output) => (await load()).deleteList(name, options, output)),
  );
}
