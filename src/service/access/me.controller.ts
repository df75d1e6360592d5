import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ROLES, type Role } from '../../runtime/settings/index.js';
import { Allow } from './allow.js';
import { Caller, type Principal } from './principal.js';

export class MeDto {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ enum: ROLES, description: 'The highest of them.' })
  readonly role!: Role;

  @ApiProperty({ enum: ROLES, isArray: true, description: 'Each includes those before it.' })
  readonly roles!: readonly Role[];

  @ApiProperty({
    enum: ['none', 'key', 'token', 'peer'],
    description: 'How that is known; none: nobody has to log in.',
  })
  readonly by!: Principal['by'];
}

@ApiTags('access')
@Controller('v1/me')
@Allow('viewer')
export class MeController {
  @Get()
  @ApiOperation({ summary: 'Who asks, and what they may do' })
  @ApiOkResponse({ type: MeDto })
  me(@Caller() { name, role, by }: Principal): MeDto {
    return { name, role, roles: ROLES.slice(0, ROLES.indexOf(role) + 1), by };
  }
}
