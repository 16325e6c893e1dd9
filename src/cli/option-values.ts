import { InvalidArgumentError } from 'commander'

/** A whole number from `least` on, for commander. */
export function wholeNumber(least = 1): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`It is a whole number from ${least}.`)
    return value
  }
}

/** Names with commas between, as often as the option is given. */
export function names(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((name) => name !== '')]
}
