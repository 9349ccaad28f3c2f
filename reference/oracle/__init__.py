"""A float64 interpreter of ONNX graphs with relevance rules."""
