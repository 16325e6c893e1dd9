import { createRequire } from 'node:module'
import { fault, messageOf } from '../error/millrace-error.js'

export type Sdk = typeof import('@anthropic-ai/sdk')
type Helpers = typeof import('@anthropic-ai/sdk/helpers/json-schema')

// Required, not imported: whatever is imported behind the hooks for streams/ passes through their thread, file by file, which
// makes of a fifth of a second of processor time a whole one, for each process that asks a model.
const require = createRequire(import.meta.url)

/** The SDK that the user has installed; loaded when it is first asked for. @throws MODEL_SDK_MISSING */
export function anthropicSdk(): Sdk {
  return load('@anthropic-ai/sdk') as Sdk
}

/** What makes its format of a JSON schema. @throws MODEL_SDK_MISSING */
export function anthropicSchemas(): Helpers {
  return load('@anthropic-ai/sdk/helpers/json-schema') as Helpers
}

function load(name: string): unknown {
  try {
    return require(name)
  } catch (cause) {
    // behind the first line is who requires whom
    throw fault('MODEL_SDK_MISSING', messageOf(cause).split('\n')[0] ?? '', { cause })
  }
}
