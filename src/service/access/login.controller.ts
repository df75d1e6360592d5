import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { Settings } from '../../runtime/settings/index.js';
import { SETTINGS } from '../tokens.js';
import { Access } from './access.js';
import { Allow } from './allow.js';
import { type SignInProvider, signInProvider } from './sign-in.js';

export class SignInProviderDto {
  @ApiProperty({ type: String, description: 'Its metadata is at `<issuer>/.well-known/openid-configuration`.' })
  readonly issuer!: string;

  @ApiProperty({ type: String, description: 'A public client: authorization code with PKCE.' })
  readonly clientId!: string;

  @ApiProperty({ type: String })
  readonly scope!: string;

  @ApiProperty({ type: String, nullable: true, description: 'What to ask a token for (RFC 8707); null: nothing.' })
  readonly resource!: string | null;
}

export class LoginDto {
  @ApiProperty({ type: Boolean, description: 'Callers must say who they are.' })
  readonly required!: boolean;

  @ApiProperty({ type: Boolean, description: 'There are API keys.' })
  readonly keys!: boolean;

  @ApiProperty({ type: SignInProviderDto, nullable: true, description: 'Where people sign in; null: nowhere.' })
  readonly provider!: SignInProvider | null;
}

@ApiTags('access')
@Controller('v1/login')
@Allow('public')
export class LoginController {
  constructor(
    @Inject(Access) private readonly access: Access,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get()
  @ApiOperation({ summary: 'How one signs in; for those who have not yet' })
  @ApiOkResponse({ type: LoginDto })
  login(): LoginDto {
    const provider = signInProvider(this.settings.access);
    return { required: this.access.isOn, keys: this.access.hasKeys, provider };
  }
}
