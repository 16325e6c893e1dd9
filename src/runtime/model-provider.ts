import type { AnthropicOptions } from '../job/anthropic-client.js'

/** The value of a setting, by its name. */
export type Setting = (name: string) => string | undefined

/** Who is asked, and with which key. */
export function providerOf(setting: Setting): AnthropicOptions {
  return {
    apiKey: setting('ANTHROPIC_API_KEY'),
    baseUrl: setting('MILLRACE_MODEL_URL') ?? setting('ANTHROPIC_BASE_URL'),
  }
}
