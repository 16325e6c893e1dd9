import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of jobs and of calls of models. */
export const JOB_ERRORS = {
  JOB_DECISION_INVALID: {
    disposition: 'reject',
    means: 'a decision that is given for a job is not what its result says; nothing was changed',
    advice: 'Correct what the issues name: the decision has to be what the schema of the job says',
    exit: EXIT.rejected,
    status: 422,
  },
  JOB_HISTORY_INVALID: {
    disposition: 'crash',
    means: 'the events of a job cannot have come one after the other',
    advice: 'Look who else writes to the subject of the job; a newer version of Millrace may have written it',
    exit: EXIT.check,
    status: 500,
  },
  JOB_ID_TAKEN: {
    disposition: 'dead-letter',
    means: 'an event requests a job under an id that a job of another name has; nothing was asked',
    advice: 'Publish the request with an id of its own: the id of a request event is the id of its job',
    exit: EXIT.rejected,
    status: 409,
  },
  JOB_INVALID: {
    disposition: 'crash',
    means: 'a job is declared in a way that cannot work',
    advice: 'Correct the field that the detail names in defineJob',
    exit: EXIT.usage,
    status: 400,
  },
  JOB_NOT_FOUND: {
    disposition: 'reject',
    means: 'no context has a job with this id',
    advice:
      'Take the id of the event that requested it; a request that could not be a job is a dead letter: see millrace dead-letters list',
    exit: EXIT.notFound,
    status: 404,
  },
  JOB_NOT_OVER: {
    disposition: 'reject',
    means: 'a job is still to be decided by itself; nothing was changed',
    advice: 'Wait until it is over (millrace job watch), then override its decision',
    exit: EXIT.conflict,
    status: 409,
  },
  JOB_REQUEST_INVALID: {
    disposition: 'dead-letter',
    means: 'a job cannot be made of its request: its lane or its tenant cannot be told; nothing was asked',
    advice: 'Correct the input, or lane and tenant in defineJob; the detail says which',
    exit: EXIT.rejected,
    status: 422,
  },
  JOB_RESULT_INVALID: {
    disposition: 'crash',
    means: 'the result of a job cannot be asked for, as no JSON Schema can say it',
    advice: 'Use what JSON has in the schema of the result: no transforms, dates, maps or functions',
    exit: EXIT.usage,
    status: 400,
  },
  MODELS_INVALID: {
    disposition: 'crash',
    means: 'models.yaml cannot be read',
    advice: 'Correct what the issues name: prices, classes of models with their limits, budgets of tenants',
    exit: EXIT.usage,
    status: 400,
  },
  MODEL_CLASS_UNKNOWN: {
    disposition: 'reject',
    means: 'a model is of no class, so that nobody would know its limits; nothing was asked',
    advice: 'Add the model to a class of models.yaml: by its name, or by the beginning of it with a * behind',
    exit: EXIT.check,
    status: 422,
  },
  MODEL_KEY_MISSING: {
    disposition: 'crash',
    means: 'a model is to be called, and there is no key for it',
    advice: 'Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL to a stand-in (startModelServer of millrace/testing)',
    exit: EXIT.usage,
    status: 500,
  },
  MODEL_SDK_MISSING: {
    disposition: 'crash',
    means: 'a model is to be called, and @anthropic-ai/sdk is not installed',
    advice: 'Install it beside Millrace: npm install @anthropic-ai/sdk@1',
    exit: EXIT.usage,
    status: 500,
  },
  PRICES_INVALID: {
    disposition: 'crash',
    means: 'the table of prices cannot be read',
    advice: 'Correct what the issues name: prices are for a million tokens, in the currency of the table',
    exit: EXIT.usage,
    status: 400,
  },
  PRICE_MISSING: {
    disposition: 'reject',
    means: 'the table of prices has none for a model, so that nobody would know what a call costs; nothing was asked',
    advice: 'Add the model to the table of prices',
    exit: EXIT.check,
    status: 422,
  },
  PROMPT_INVALID: {
    disposition: 'crash',
    means: 'a prompt is declared in a way that cannot work',
    advice: 'Correct what the detail names in definePrompt',
    exit: EXIT.usage,
    status: 400,
  },
  PROMPT_VALUE_MISSING: {
    disposition: 'dead-letter',
    means: 'the input of a job has no value for a place of its prompt; nothing was asked',
    advice: 'Correct the input or the prompt; the detail names the place',
    exit: EXIT.rejected,
    status: 422,
  },
} as const satisfies Record<string, ErrorEntry>
