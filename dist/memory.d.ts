/** 'Float64Array', ..., or undefined for what is no typed array. */
export declare const tagOf: (value: unknown) => string | undefined;
export declare const lengthOf: (values: ArrayBufferView) => number;
/** Whether its memory is the caller's alone and stays as large as it is: neither shared nor resizable. */
export declare function fixedBuffer(values: ArrayBufferView): boolean;
/** Whether two arrays have a byte in common. */
export declare function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean;
