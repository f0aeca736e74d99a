/** A version of a rule within a rule set, where a name may stand twice: a version on trial runs beside the live one. */
export const ruleKey = ({ name, version }: { readonly name: string; readonly version: number }): string =>
  `${name}@${version}`;
