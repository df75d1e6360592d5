import { Body, Controller, HttpCode, Inject, Post, Query } from '@nestjs/common';
import {
  ApiBody,
  ApiExcludeEndpoint,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { Allow, NotAChange } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput } from '../problems/problem.js';
import { DecisionDto } from './decision.dto.js';
import { Decisions } from './decisions.js';
import { questionOf, sentConsideration } from './other-instances.js';

@ApiTags('decisions')
@Controller('v1/decisions')
@Allow('analyst')
export class DecisionsController {
  constructor(
    @Inject(Decisions) private readonly decisions: Decisions,
    @Inject(PersonalMask) private readonly mask: PersonalMask,
  ) {}

  @Post()
  @NotAChange('question')
  @HttpCode(200)
  @ApiOperation({
    summary: 'What a transaction would do',
    description:
      'Which alerts it would complete and which patterns it would carry on if it came next, from the very state that the stream goes on with. Nothing is written, and nothing is kept of it: send it to the stream for that.',
  })
  @ApiBody({ schema: { type: 'object', description: "As the stream's schema has it; times may be ISO 8601." } })
  @ApiQuery({
    name: 'stream',
    required: false,
    type: String,
    description: 'Name of the stream; else the first of the settings.',
  })
  @ApiOkResponse({ type: DecisionDto })
  @ApiResponse({ status: 404, type: ProblemDto, description: 'There is no stream of this name.' })
  @ApiResponse({ status: 422, type: ProblemDto, description: 'Does not fit the schema: every error with its path.' })
  @ApiResponse({
    status: 503,
    type: ProblemDto,
    description: 'Its state is being restored, or is with an instance that does not answer.',
  })
  async decide(
    @Body() transaction: unknown,
    @Query('stream') stream: string | undefined,
    @Caller() caller: Principal,
  ): Promise<DecisionDto> {
    const { alerts, isLate, ...decision } = await this.decisions.decide(
      transaction,
      stream === '' ? undefined : stream,
    );
    return { ...decision, completes: alerts.map((alert) => this.mask.of(alert, caller)), late: isLate };
  }

  @Post('questions')
  @NotAChange('question')
  @Allow('peer')
  @HttpCode(200)
  @ApiExcludeEndpoint()
  async answer(@Body() sent: unknown): Promise<ReturnType<typeof sentConsideration>> {
    const question = questionOf(sent);
    if (question === null) throw invalidInput('This is no question of another instance.', []);
    return sentConsideration(await this.decisions.answer(question));
  }
}
