import {
  calibrated,
  corrected,
  estimateTokens,
  schemaText,
  UNCALIBRATED,
  type Calibration,
} from '../estimate-tokens.js'
import type { ModelAsk } from '../model-client.js'
import { inputOf, type Usage } from '../usage.js'

/** Estimates of what questions take, corrected by what those of the same prompt were billed in this process. */
export class TokenEstimates {
  readonly #byPrompt = new Map<string, Calibration>()

  /** @param hash of the prompt */
  inputOf(ask: ModelAsk, hash: string): number {
    return corrected(rawOf(ask), this.#byPrompt.get(hash) ?? UNCALIBRATED)
  }

  learn(ask: ModelAsk, hash: string, usage: Usage): void {
    this.#byPrompt.set(hash, calibrated(this.#byPrompt.get(hash) ?? UNCALIBRATED, rawOf(ask), inputOf(usage)))
  }
}

function rawOf({ system, user, schema, repair }: ModelAsk): number {
  const texts = [...system, ...user].map(({ text }) => text)
  if (schema !== undefined) texts.push(schemaText(schema))
  if (repair !== undefined) texts.push(repair.text, repair.wrong)
  return estimateTokens(texts)
}
