import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ExplainError } from '../../backtest/explain/explain-log.js';
import { Allow } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { AlertKeys } from '../alerts/alert-keys.js';
import { checkQuery } from '../paging/page.js';
import { momentText } from '../problems/check-body.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { notFound, unavailable } from '../problems/problem.js';
import { EXPLAINER } from '../tokens.js';
import { type Explain, UnknownPatternError } from './explain.js';
import { ExplanationDto } from './explanations.dto.js';

const query = z.strictObject({ key: z.string().min(1), pattern: z.string().min(1), at: momentText });
const ofAlert = z.strictObject({ alert: z.string().min(1) });

@ApiTags('explanations')
@Controller('v1/explanations')
@Allow('analyst')
export class ExplanationsController {
  constructor(
    @Inject(EXPLAINER) private readonly explain: Explain | null,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
    @Inject(AlertKeys) private readonly keys: AlertKeys,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Why a pattern fired for a key at a time, or why it did not',
    description:
      'The records of the key are replayed from the log under the rule that was in force. Any instance answers. It takes as long as reading the log around that time does.',
  })
  @ApiQuery({
    name: 'alert',
    required: false,
    type: String,
    description: 'Id of an alert, in place of all else: its key, pattern and time. So its key need not be known.',
  })
  @ApiQuery({
    name: 'key',
    required: false,
    type: String,
    description: 'Value of what the pattern is keyed by, e.g. an account.',
  })
  @ApiQuery({ name: 'pattern', required: false, type: String, description: 'Id of the pattern.' })
  @ApiQuery({
    name: 'at',
    required: false,
    type: String,
    description: 'Event time at which it might have fired: ISO 8601, or milliseconds since 1970.',
  })
  @ApiOkResponse({ type: ExplanationDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  @ApiResponse({ status: 404, type: ProblemDto, description: 'No pattern of this id runs.' })
  @ApiResponse({ status: 503, type: ProblemDto, description: 'The log cannot be read now.' })
  async get(@Query() sent: unknown, @Caller() caller: Principal): Promise<ExplanationDto> {
    this.mask.refuse(caller);
    if (this.explain === null) throw notFound('This service has no log to explain from.');
    const { key, pattern, at } = isOfAlert(sent)
      ? await this.keys.subjectOf(checkQuery(ofAlert, sent).alert)
      : checkQuery(query, sent);
    try {
      return await this.explain({ key, pattern, at });
    } catch (error) {
      if (error instanceof UnknownPatternError || error instanceof ExplainError) throw notFound(error.message);
      const { code, message } = error as { code?: unknown; message: string };
      if (typeof code === 'string' && /^(LOG|KAFKA|REGISTRY)_/.test(code)) throw unavailable(code, message, error);
      throw error;
    }
  }
}

const isOfAlert = (sent: unknown): boolean => typeof sent === 'object' && sent !== null && 'alert' in sent;
