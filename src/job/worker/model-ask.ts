import type { JobDeclaration } from '../job-options.js'
import type { JobAccount } from '../job-state.js'
import type { ModelAsk } from '../model-client.js'
import { renderPrompt } from '../render-prompt.js'

/** Of what was wrong with an answer, so much is said to the model. */
const MOST_SAID = 2_000

/** What a model is asked for a job, from its declaration and its history. @throws PROMPT_VALUE_MISSING */
export function modelAskOf({ prompt, model, maxTokens, resultSchema }: JobDeclaration, account: JobAccount): ModelAsk {
  const { system, user } = renderPrompt(prompt, account.request.input)
  const ask: ModelAsk = { model, maxTokens, system, user, schema: resultSchema }
  if (account.repair === undefined) return ask
  const { text, issues } = account.repair
  const wrong = issues.map(({ pointer = '', detail }) => `${pointer} ${detail}`.trim()).join('; ')
  return { ...ask, repair: { text, wrong: wrong.slice(0, MOST_SAID) } }
}
