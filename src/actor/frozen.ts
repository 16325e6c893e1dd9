/** What V8 says when something frozen is changed. */
const CHANGE = /read only property|object is not extensible|Cannot (?:delete|add|redefine) property/

/**
 * Freezes plain objects and lists, down to the last. What is frozen already is not looked into again, so that of a state
 * whose parts are shared with the one before only the new parts are visited.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
  return value
}

/** Whether an error comes of changing what is frozen. */
export function isFrozenError(error: unknown): error is TypeError {
  return error instanceof TypeError && CHANGE.test(error.message)
}
