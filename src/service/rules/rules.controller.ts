import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { RuleText } from '../../rules/index.js';
import { Allow } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { StakeoutStrategy } from '../detection/index.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, notFound, unavailable } from '../problems/problem.js';
import { RULES } from '../tokens.js';
import { quarantinedOf } from './quarantined.js';
import type { RuleControl } from './rule-control.js';
import { AppliedDto, ApplyDto, AuditDto, RuleSetDto } from './rules.dto.js';
import { answered, signatureOf } from './signed.js';

@ApiTags('rules')
@Controller('v1/rules')
@Allow('viewer')
export class RulesController {
  constructor(
    @Inject(RULES) private readonly rules: RuleControl | null,
    private readonly strategy: StakeoutStrategy,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The rule set in force, as it was written' })
  @ApiOkResponse({ type: RuleSetDto })
  list(@Caller() caller: Principal): RuleSetDto {
    const control = this.control();
    const texts = new Map(control.files.map(({ file, text }) => [file, text]));
    const status = this.mask.ofStatus(this.strategy.detectorStatus(), caller);
    const rules = control.rules.map(({ id, status: of, revision, source: file }) => {
      return { id, status: of, revision, file, text: texts.get(file) ?? '', quarantined: quarantinedOf(status, id) };
    });
    return { ...control.status(), rules };
  }

  @Get('audit')
  @Allow('approver')
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
  @Allow('author')
  @HttpCode(200)
  @ApiOperation({ summary: 'Checks a whole rule set, and puts it in the place of the one in force' })
  @ApiOkResponse({ type: AppliedDto })
  @ApiResponse({ status: 409, type: ProblemDto })
  @ApiResponse({ status: 422, type: ProblemDto })
  apply(@Body() body: ApplyDto, @Caller() caller: Principal): Promise<AppliedDto> {
    const { files, dryRun } = body ?? {};
    const plain = sentFiles(files, 'The body must hold the rule set.');
    return answered(() => this.control().apply(plain, signatureOf(caller, body), dryRun === true));
  }

  private control(): RuleControl {
    if (this.rules === null) throw notFound('Rules cannot be changed while this process runs.');
    return this.rules;
  }
}

/** Throws a problem unless these are rules as they were written, one at least. */
export function sentFiles(files: unknown, detail: string, path = 'files'): readonly RuleText[] {
  const isText = (file: unknown): file is RuleText =>
    typeof (file as RuleText | null)?.file === 'string' &&
    typeof (file as RuleText).text === 'string' &&
    ['string', 'undefined'].includes(typeof (file as RuleText).tests);
  if (!Array.isArray(files) || files.length === 0 || !files.every(isText))
    throw invalidInput(detail, [{ path, message: 'a list of {file, text}, each with tests if it has some' }]);
  return files.map(({ file, text, tests }) => ({ file, text, ...(tests ? { tests } : {}) }));
}
