import type { Command } from 'commander';
import type { ExportOptions } from './commands/export.js';
import type { ImportCommandOptions } from './commands/import.js';
import type { Output } from './output.js';

type Run = (json: boolean, action: (output: Output) => Promise<number>) => Promise<void>;

const JSON_OPTION = ['--json', 'print one JSON document on standard output, all else on standard error'] as const;
const CONFIG_OPTION = ['--config <file>', 'config file (docs/settings.md)'] as const;

/** `stakeout export` and `stakeout import`: rules in other languages (docs/interchange.md). */
export function addInterchange(program: Command, run: Run): void {
  program
    .command('export <paths...>')
    .description("writes rules in another language: queries of Flink SQL, or graphs of Flink's dynamic CEP")
    .option(...CONFIG_OPTION)
    .option('--to <language>', 'flink-sql (MATCH_RECOGNIZE) or flink-json (dynamic CEP)', 'flink-sql')
    .option('--out <dir>', 'write a file for each rule into this folder')
    .option('--package <name>', 'flink-json: Java package of the classes that kinds of events are')
    .option(...JSON_OPTION)
    .action((paths: string[], options: ExportOptions & { json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/export.js')).exportRules(paths, options, output),
      ),
    );
  program
    .command('import <file>')
    .description("reads rules of another language: graphs of Flink's dynamic CEP")
    .option(...CONFIG_OPTION)
    .option('--from <language>', 'flink-json', 'flink-json')
    .option('--out <dir>', 'write DIR/ID/pattern.yaml for each rule')
    .option('--id <id>', 'what the first rule is called (the name of the graph)')
    .option('--key <field>', "field that events are grouped by (the stream's key)")
    .option('--stream <name>', 'which stream the rule reads, where there are several')
    .option('--class <class=condition...>', 'what a Java class of conditions asks: com.acme.Large="amount > 1000"')
    .option('--force', 'overwrite rules that are there')
    .option(...JSON_OPTION)
    .action((file: string, options: ImportCommandOptions & { json?: boolean }) =>
      run(options.json === true, async (output) =>
        (await import('./commands/import.js')).importRules(file, options, output),
      ),
    );
}
