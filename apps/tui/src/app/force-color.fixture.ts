// Imported before ink: chalk looks at this once, when it is loaded.
process.env.FORCE_COLOR = '3';
