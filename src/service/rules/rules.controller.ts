import { Body, Controller, Get, HttpCode, Inject, Param, ParseIntPipe, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { StakeoutStrategy } from '../detection/index.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound, Problem, problemBody, unavailable } from '../problems/problem.js';
import { RULES } from '../tokens.js';
import { refusedRules } from './refused-rules.js';
import {
  RevisionError,
  RulebookConflictError,
  type RuleControl,
  RulesRefusedError,
  type Signature,
} from './rule-control.js';
import { AppliedDto, ApplyDto, AuditDto, RevisionListDto, RollbackDto, RuleSetDto, SignatureDto } from './rules.dto.js';

@ApiTags('rules')
@Controller('rules')
export class RulesController {
  constructor(
    @Inject(RULES) private readonly rules: RuleControl | null,
    private readonly strategy: StakeoutStrategy,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The rule set in force, as it was written' })
  @ApiOkResponse({ type: RuleSetDto })
  list(): RuleSetDto {
    const control = this.control();
    const texts = new Map(control.files.map(({ file, text }) => [file, text]));
    const rules = control.rules.map(({ id, status, revision, source: file }) => {
      return { id, status, revision, file, text: texts.get(file) ?? '', quarantined: this.quarantined(id) };
    });
    return { ...control.status(), rules };
  }

  @Get('revisions')
  @ApiOperation({ summary: 'All that was published, by whom, when and why: the audit trail' })
  @ApiOkResponse({ type: RevisionListDto })
  revisions(): RevisionListDto {
    const entries = this.control().history.map((entry) => {
      if (entry.kind === 'approval') return entry;
      const { files, draining: _, ...rest } = entry;
      return { ...rest, rules: files.length };
    });
    return { revisions: entries.reverse() };
  }

  @Get('audit')
  @ApiOperation({ summary: 'Reads the whole history anew, and says whether anyone has changed it' })
  @ApiQuery({
    name: 'hash',
    required: false,
    type: String,
    description: 'A hash kept elsewhere: is its entry still there?',
  })
  @ApiOkResponse({ type: AuditDto })
  @ApiResponse({ status: 503, type: ProblemDto })
  async audit(@Query('hash') hash: string | undefined): Promise<AuditDto> {
    const control = this.control();
    try {
      const { hashes, ...found } = await control.audit();
      return { ...found, ...(hash === undefined || hash === '' ? {} : { hasHash: hashes.includes(hash) }) };
    } catch (cause) {
      throw unavailable('RULES_AWAY', 'The history of the rules cannot be read now.', cause);
    }
  }

  @Post('apply')
  @HttpCode(200)
  @ApiOperation({ summary: 'Checks a whole rule set, and puts it in the place of the one in force' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  @ApiResponse({ status: 422, type: ProblemDto })
  apply(@Body() body: ApplyDto): Promise<AppliedDto> {
    const { files, dryRun } = body ?? {};
    const isText = (file: unknown): boolean =>
      typeof (file as ApplyDto['files'][number])?.file === 'string' &&
      typeof (file as ApplyDto['files'][number]).text === 'string';
    if (!Array.isArray(files) || files.length === 0 || !files.every(isText))
      throw invalidInput('The body must hold the rule set.', [{ path: 'files', message: 'a list of {file, text}' }]);
    const plain = files.map(({ file, text }) => ({ file, text }));
    return answered(() => this.control().apply(plain, signature(body, dryRun === true), dryRun === true));
  }

  @Post('rollback')
  @HttpCode(200)
  @ApiOperation({ summary: 'Brings back the set of an earlier revision' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  rollback(@Body() body: RollbackDto): Promise<AppliedDto> {
    return answered(() => this.control().rollback(body?.to, signature(body)));
  }

  @Post('revisions/:n/approve')
  @HttpCode(200)
  @ApiOperation({ summary: 'Brings a revision that waits into force; not for its author' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  approve(@Param('n', ParseIntPipe) n: number, @Body() body: SignatureDto): Promise<AppliedDto> {
    return answered(() => this.control().approve(n, signature(body)));
  }

  /** Where a rule is stopped. */
  private quarantined(id: string): readonly object[] {
    const partitions = this.strategy.detectorStatus()?.partitions ?? [];
    return partitions.flatMap(({ topic, partition, quarantined = [] }) =>
      quarantined.filter((stopped) => stopped.id === id).map((stopped) => ({ topic, partition, ...stopped })),
    );
  }

  private control(): RuleControl {
    if (this.rules === null) throw notFound('Rules cannot be changed while this process runs.');
    return this.rules;
  }
}

function signature(body: SignatureDto | undefined, optional = false): Signature {
  const { author, message = '' } = body ?? ({} as Partial<SignatureDto>);
  if (typeof author === 'string' && author.trim() !== '') return { author: author.trim(), message: String(message) };
  if (optional) return { author: '', message: '' };
  throw invalidInput('Who asks for it?', [{ path: 'author', message: 'a name' }]);
}

async function answered(act: () => Promise<AppliedDto>): Promise<AppliedDto> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RulesRefusedError) throw refusedRules(error.diagnostics, error);
    if (error instanceof RevisionError || error instanceof RulebookConflictError)
      throw new Problem(problemBody(409, error.code, error.message), { cause: error });
    throw error;
  }
}
