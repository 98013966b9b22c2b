SELECT 1 FROM ${name};
