import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { DeliveryMode } from '../../runtime/lane/commit/delivery.js';
import { Allow } from '../access/allow.js';
import { StakeoutStrategy } from '../detection/index.js';
import { ProblemDto } from '../problems/problem.dto.js';
import { invalidInput, unavailable } from '../problems/problem.js';

const MODES: readonly DeliveryMode[] = ['exactly-once', 'at-least-once'];

export class DeliveryDto {
  @ApiProperty({ enum: MODES })
  readonly mode!: DeliveryMode;
}

@ApiTags('status')
@Controller('v1/delivery')
@Allow('viewer')
export class DeliveryController {
  constructor(private readonly strategy: StakeoutStrategy) {}

  @Get()
  @ApiOperation({ summary: 'How this process delivers alerts' })
  @ApiOkResponse({ type: DeliveryDto })
  @ApiResponse({ status: 503, type: ProblemDto })
  now(): DeliveryDto {
    const mode = this.strategy.delivery();
    if (mode === null) throw unavailable('NOT_STARTED', 'Detection is being made; ask again in a moment.');
    return { mode };
  }

  @Put()
  @Allow('operator')
  @ApiOperation({
    summary: 'Changes it from the next alert on, until this process ends: what waits for a transaction still gets one',
  })
  @ApiBody({ type: DeliveryDto })
  @ApiOkResponse({ type: DeliveryDto })
  @ApiResponse({ status: 400, type: ProblemDto })
  @ApiResponse({ status: 503, type: ProblemDto })
  change(@Body() body: unknown): DeliveryDto {
    const mode = MODES.find((known) => known === (body as Partial<DeliveryDto> | null)?.mode);
    if (mode === undefined)
      throw invalidInput(`mode is one of ${MODES.join(', ')}.`, [
        { path: 'mode', message: `one of ${MODES.join(', ')}` },
      ]);
    this.strategy.setDelivery(mode);
    return this.now();
  }
}
