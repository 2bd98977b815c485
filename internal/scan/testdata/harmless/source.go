package sample

import "os"

// The password comes from the environment: see PASSWORD, API_KEY and SECRET_TOKEN.
type config struct {
	Password string `json:"password"`
	APIKey   string `json:"api_key"`
	Token    string `env:"SECRET_TOKEN,required"`
}

func load() config {
	return config{Password: os.Getenv("PASSWORD"), APIKey: os.Getenv("API_KEY"), Token: "zvault://shop/SECRET_TOKEN"}
}

const commit = "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
const id = "123e4567-e89b-12d3-a456-426614174000"
